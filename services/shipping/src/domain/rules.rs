//! What may travel: the carrier's and the destination's limits, prohibited goods, and who may send abroad.

use quenty_contracts::party::{Item, Parcel};
use quenty_kernel::{
    country::CountryCode,
    money::{Money, MoneyError},
};

use super::tariff::{Offer, RateCard, ServiceLevel};
use jiff::Zoned;

/// Why a shipment is not booked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("international shipments need the company's identity check: complete it, then book again")]
    KycRequired,
    #[error("the company may not ship at present: ask the platform's support")]
    CompanyNotActive,
    #[error(
        "no rate card of our carrier covers this origin, destination, service and weight: choose another service"
    )]
    NoRate,
    #[error(
        "the declared value is above {limit} ({rule}): split the consignment or declare its true, lower value"
    )]
    ValueAboveLimit { limit: Money, rule: String },
    #[error("the weight is above {limit_grams} g ({rule}): split it")]
    WeightAboveLimit { limit_grams: u64, rule: String },
    #[error("a label cannot print {pointer}: write it in Latin letters")]
    Unprintable { pointer: &'static str },
    #[error("{goods} may not be sent: {reason} ({source_of_rule}); take it out")]
    Prohibited {
        /// Its number, from one.
        item: usize,
        /// In words: an order has other items than lines.
        goods: String,
        reason: String,
        source_of_rule: String,
    },
}

impl Refusal {
    /// The stable word of the published language.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::KycRequired => "KYC_REQUIRED",
            Self::CompanyNotActive => "COMPANY_NOT_ACTIVE",
            Self::NoRate => "NO_RATE",
            Self::ValueAboveLimit { .. } => "VALUE_ABOVE_LIMIT",
            Self::WeightAboveLimit { .. } => "WEIGHT_ABOVE_LIMIT",
            Self::Prohibited { .. } => "PROHIBITED",
            Self::Unprintable { .. } => "UNPRINTABLE",
        }
    }
}

// An amount that cannot be computed has no price.
impl From<MoneyError> for Refusal {
    fn from(_: MoneyError) -> Self {
        Self::NoRate
    }
}

/// What a company may do, as Customer last told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub may_order: bool,
    pub may_ship_internationally: bool,
    pub trade_name: String,
    /// By its IANA name; not known of standings of before it was kept.
    pub time_zone: Option<String>,
}

impl Standing {
    /// # Errors
    /// When the company may not send, or not abroad.
    pub fn permits(&self, international: bool) -> Result<(), Refusal> {
        match (self.may_order, international, self.may_ship_internationally) {
            (false, ..) => Err(Refusal::CompanyNotActive),
            (true, true, false) => Err(Refusal::KycRequired),
            _ => Ok(()),
        }
    }
}

/// What a destination's customs take in one consignment, in the currency of the rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportLimits {
    pub max_value: Option<Money>,
    pub max_weight_grams: Option<u64>,
    pub source: String,
}

/// Goods that the carrier does not take, by their heading of the Harmonized System.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProhibitedGoods {
    pub hs_prefix: String,
    pub reason: String,
    pub source: String,
}

/// Everything that decides about one consignment's price and passage on a given day.
#[derive(Debug, Clone, PartialEq)]
pub struct Tariff {
    pub card: Option<RateCard>,
    /// Absent at home.
    pub limits: Option<ImportLimits>,
    pub prohibited: Vec<ProhibitedGoods>,
}

/// What is to be sent, as far as price and passage depend on it.
#[derive(Debug, Clone, Copy)]
pub struct Consignment<'a> {
    pub origin: CountryCode,
    pub destination: CountryCode,
    pub parcels: &'a [Parcel],
    pub items: &'a [Item],
    pub declared_value: Money,
}

impl Consignment<'_> {
    /// The weight as weighed; parcels and their number are bounded, so that it cannot overflow.
    #[must_use]
    pub fn weight_grams(&self) -> u64 {
        self.parcels.iter().map(|parcel| u64::from(parcel.weight_grams.get())).sum()
    }
}

impl Tariff {
    /// Every service that the carrier offers for the consignment.
    ///
    /// # Errors
    /// When a rule forbids it, or no card prices it.
    pub fn offers(&self, consignment: &Consignment<'_>, now: &Zoned) -> Result<Vec<Offer>, Refusal> {
        let card = self.check(consignment)?;
        let mut offers = Vec::new();
        for service in ServiceLevel::ALL {
            offers.extend(card.offer(service, consignment.parcels, consignment.declared_value, now)?);
        }
        if offers.is_empty() { Err(Refusal::NoRate) } else { Ok(offers) }
    }

    /// One service's offer.
    ///
    /// # Errors
    /// When a rule forbids the consignment, or the service has no price.
    pub fn offer(
        &self,
        service: ServiceLevel,
        consignment: &Consignment<'_>,
        now: &Zoned,
    ) -> Result<Offer, Refusal> {
        let card = self.check(consignment)?;
        card.offer(service, consignment.parcels, consignment.declared_value, now)?.ok_or(Refusal::NoRate)
    }

    /// Whether the consignment may travel at all.
    ///
    /// # Errors
    /// The first rule that forbids it.
    pub fn check(&self, consignment: &Consignment<'_>) -> Result<&RateCard, Refusal> {
        self.check_goods(consignment.items)?;
        self.check_customs(consignment)?;
        let card = self.card.as_ref().ok_or(Refusal::NoRate)?;
        let rule = || format!("{}, for one parcel", card.carrier);
        if consignment.parcels.iter().any(|parcel| parcel.weight_grams.get() > card.max_parcel_grams) {
            return Err(Refusal::WeightAboveLimit {
                limit_grams: card.max_parcel_grams.into(),
                rule: rule(),
            });
        }
        check_value(consignment.declared_value, card.max_declared_value, &card.carrier)?;
        Ok(card)
    }

    fn check_goods(&self, items: &[Item]) -> Result<(), Refusal> {
        for (index, item) in items.iter().enumerate() {
            let code: String =
                item.hs_code.iter().flat_map(|code| code.chars()).filter(char::is_ascii_digit).collect();
            if let Some(goods) = self.prohibited.iter().find(|goods| code.starts_with(&goods.hs_prefix)) {
                return Err(Refusal::Prohibited {
                    item: index + 1,
                    goods: format!("{} ({})", item.sku, item.description),
                    reason: goods.reason.clone(),
                    source_of_rule: goods.source.clone(),
                });
            }
        }
        Ok(())
    }

    fn check_customs(&self, consignment: &Consignment<'_>) -> Result<(), Refusal> {
        let Some(limits) = &self.limits else { return Ok(()) };
        if let Some(limit_grams) = limits.max_weight_grams.filter(|limit| consignment.weight_grams() > *limit)
        {
            return Err(Refusal::WeightAboveLimit { limit_grams, rule: limits.source.clone() });
        }
        limits
            .max_value
            .map_or(Ok(()), |limit| check_value(consignment.declared_value, limit, &limits.source))
    }
}

/// Amounts in two currencies are not compared: there is no rate to compare them by.
fn check_value(declared: Money, limit: Money, rule: &str) -> Result<(), Refusal> {
    if declared.currency() == limit.currency() && declared.amount() > limit.amount() {
        return Err(Refusal::ValueAboveLimit { limit, rule: rule.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tariff::{
        local,
        tests::{card, cop, parcel},
    };

    fn item(hs_code: Option<&str>) -> Item {
        Item {
            sku: "SKU".to_owned(),
            description: "Something".to_owned(),
            hs_code: hs_code.map(str::to_owned),
            origin: None,
            quantity: 1,
            unit_value: cop("1000"),
            unit_weight_grams: quenty_kernel::measure::Grams::new(100).unwrap(),
        }
    }

    fn tariff() -> Tariff {
        let limits = ImportLimits {
            max_value: Some(Money::parse("2000", Currency::USD).unwrap()),
            max_weight_grams: Some(50_000),
            source: "the rule".to_owned(),
        };
        let arms = ProhibitedGoods {
            hs_prefix: "93".to_owned(),
            reason: "arms".to_owned(),
            source: "UPU".to_owned(),
        };
        Tariff { card: Some(card()), limits: Some(limits), prohibited: vec![arms] }
    }

    use quenty_kernel::currency::Currency;

    fn code_of(parcels: &[Parcel], items: &[Item], declared_value: Money) -> Option<&'static str> {
        let consignment = Consignment {
            origin: CountryCode::MX,
            destination: CountryCode::CO,
            parcels,
            items,
            declared_value,
        };
        let now = local("2026-01-05T12:00:00Z".parse().unwrap(), None);
        tariff().offers(&consignment, &now).err().map(|refusal| refusal.code())
    }

    #[test]
    fn limits_belong_to_what_is_allowed() {
        let usd = |amount| Money::parse(amount, Currency::USD).unwrap();
        assert_eq!(code_of(&[parcel(50_000)], &[], usd("2000")), None);
        assert_eq!(code_of(&[parcel(50_000)], &[], usd("2000.01")), Some("VALUE_ABOVE_LIMIT"));
        assert_eq!(code_of(&[parcel(30_000), parcel(20_001)], &[], usd("1")), Some("WEIGHT_ABOVE_LIMIT"));
        assert_eq!(code_of(&[parcel(1_000)], &[], cop("40000000")), None);
        assert_eq!(code_of(&[parcel(1_000)], &[], cop("40000000.01")), Some("VALUE_ABOVE_LIMIT"));
    }

    #[test]
    fn prohibited_goods_are_found_by_the_beginning_of_their_code() {
        for (code, refused) in
            [(Some("9303.20"), true), (Some("93"), true), (Some("0193.00"), false), (None, false)]
        {
            let found = code_of(&[parcel(1_000)], &[item(None), item(code)], cop("1"));
            assert_eq!(found, refused.then_some("PROHIBITED"), "{code:?}");
        }
        let refusal = tariff().check_goods(&[item(None), item(Some("93"))]).unwrap_err();
        assert_eq!(refusal.to_string(), "SKU (Something) may not be sent: arms (UPU); take it out");
    }

    #[test]
    fn without_a_card_there_is_no_rate() {
        let tariff = Tariff { card: None, limits: None, prohibited: Vec::new() };
        let parcels = [parcel(1_000)];
        let consignment = Consignment {
            origin: CountryCode::CO,
            destination: CountryCode::CO,
            parcels: &parcels,
            items: &[],
            declared_value: cop("1"),
        };
        let now = local("2026-01-05T12:00:00Z".parse().unwrap(), None);
        assert_eq!(tariff.offers(&consignment, &now), Err(Refusal::NoRate));
    }

    #[test]
    fn only_a_verified_company_sends_abroad() {
        let standing = |may_order, may_ship_internationally| Standing {
            may_order,
            may_ship_internationally,
            trade_name: String::new(),
            time_zone: Some("UTC".to_owned()),
        };
        assert_eq!(standing(true, false).permits(false), Ok(()));
        assert_eq!(standing(true, false).permits(true), Err(Refusal::KycRequired));
        assert_eq!(standing(true, true).permits(true), Ok(()));
        assert_eq!(standing(false, true).permits(false), Err(Refusal::CompanyNotActive));
    }
}
