//! A quote: an offer for one consignment, good for half an hour. What was quoted is what is booked.

use jiff::{SignedDuration, Timestamp};
use quenty_kernel::{
    hex,
    id::CompanyId,
    measure::{Dimensions, Grams},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{rules::Consignment, tariff::Offer};

const VALID_FOR: SignedDuration = SignedDuration::from_mins(30);

/// What a quote's signature covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Absent when staff asked: then it is good for any company.
    pub company_id: Option<CompanyId>,
    /// The digest of what was quoted.
    pub consignment: String,
    pub offer: Offer,
    pub valid_until: Timestamp,
}

/// Why a quote cannot be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuoteError {
    #[error("this is no quote of ours: ask for rates again and send a quote_id as it came")]
    Unknown,
    #[error("the quote is no longer valid: ask for rates again")]
    Expired,
    #[error("the quote is for other parcels, countries or another declared value: ask for rates again")]
    OtherConsignment,
}

impl Quote {
    #[must_use]
    pub fn new(
        company_id: Option<CompanyId>,
        consignment: &Consignment<'_>,
        offer: Offer,
        now: Timestamp,
    ) -> Self {
        let valid_until = now.saturating_add(VALID_FOR).unwrap_or(Timestamp::MAX);
        Self { company_id, consignment: digest(consignment), offer, valid_until }
    }

    /// The offer, if the quote may be used by this company for this consignment.
    ///
    /// # Errors
    /// When it is another company's, too old, or for something else.
    pub fn redeem(
        self,
        company: CompanyId,
        consignment: &Consignment<'_>,
        now: Timestamp,
    ) -> Result<Offer, QuoteError> {
        if self.company_id.is_some_and(|quoted_to| quoted_to != company) {
            return Err(QuoteError::Unknown);
        }
        if now > self.valid_until {
            return Err(QuoteError::Expired);
        }
        if self.consignment != digest(consignment) {
            return Err(QuoteError::OtherConsignment);
        }
        Ok(self.offer)
    }
}

/// What the price depends on, in one order.
fn digest(consignment: &Consignment<'_>) -> String {
    let parcels: Vec<(Grams, Option<Dimensions>)> =
        consignment.parcels.iter().map(|p| (p.weight_grams, p.dimensions)).collect();
    let text = format!(
        "{:?}|{:?}|{parcels:?}|{}",
        consignment.origin, consignment.destination, consignment.declared_value
    );
    hex(Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tariff::{
        ServiceLevel, local,
        tests::{card, cop, parcel},
    };
    use quenty_kernel::country::CountryCode;

    #[test]
    fn a_quote_is_good_for_its_company_its_consignment_and_half_an_hour() {
        let now: Timestamp = "2026-01-05T12:00:00Z".parse().unwrap();
        let (parcels, others) = ([parcel(1_000)], [parcel(1_001)]);
        let consignment = Consignment {
            origin: CountryCode::CO,
            destination: CountryCode::CO,
            parcels: &parcels,
            items: &[],
            declared_value: cop("1"),
        };
        let there = local(now, None);
        let offer = card().offer(ServiceLevel::Express, &parcels, cop("1"), &there).unwrap().unwrap();
        let company = CompanyId::new();
        let quote = Quote::new(Some(company), &consignment, offer.clone(), now);

        let half_an_hour_later = now + SignedDuration::from_mins(30);
        assert_eq!(quote.clone().redeem(company, &consignment, half_an_hour_later), Ok(offer));
        let too_late = half_an_hour_later + SignedDuration::from_micros(1);
        assert_eq!(quote.clone().redeem(company, &consignment, too_late), Err(QuoteError::Expired));
        assert_eq!(quote.clone().redeem(CompanyId::new(), &consignment, now), Err(QuoteError::Unknown));
        let other = Consignment { parcels: &others, ..consignment };
        assert_eq!(quote.redeem(company, &other, now), Err(QuoteError::OtherConsignment));
    }
}
