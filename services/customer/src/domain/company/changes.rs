//! What may be changed of a company, by whom and until when.

use quenty_contracts::customer::CompanyUpdated;
use quenty_kernel::{
    Invalid, Timestamp,
    address::Address,
    contact::{LanguageTag, Text, TimeZoneName},
    currency::Currency,
    money::Money,
};

use super::{
    Company, CompanyError, CompanyFact, CompanySize, CompanyState, Details, Identification, Terms, known,
};

/// On whose behalf a change is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Company,
    Platform,
}

/// What an update sets; `None` leaves a field as it is, `Some(None)` empties it.
#[derive(Debug, Clone, Default)]
pub(crate) struct CompanyChanges {
    pub(crate) legal_name: Option<Text<200>>,
    pub(crate) trade_name: Option<Text<120>>,
    /// Type and number, unchecked.
    pub(crate) document: Option<(String, String)>,
    pub(crate) size: Option<CompanySize>,
    pub(crate) categories: Option<Vec<Text<60>>>,
    pub(crate) currency: Option<Currency>,
    pub(crate) time_zone: Option<TimeZoneName>,
    pub(crate) language: Option<LanguageTag>,
    pub(crate) origin: Option<Option<Address>>,
    pub(crate) payment_terms_days: Option<u16>,
    pub(crate) credit_limit: Option<Option<Money>>,
}

impl CompanyChanges {
    fn onto(self, state: &CompanyState) -> Result<CompanyState, CompanyError> {
        let old = state.clone();
        let identification = match self.document {
            Some((code, number)) => {
                Some(Identification::new(old.country, &code, &number, old.kind.identified())?)
            }
            None => old.details.identification,
        };
        Ok(CompanyState {
            details: Details {
                legal_name: self.legal_name.unwrap_or(old.details.legal_name),
                trade_name: self.trade_name.unwrap_or(old.details.trade_name),
                identification,
                size: self.size.unwrap_or(old.details.size),
                categories: self.categories.unwrap_or(old.details.categories),
                currency: self.currency.unwrap_or(old.details.currency),
                time_zone: self.time_zone.unwrap_or(old.details.time_zone),
                language: self.language.unwrap_or(old.details.language),
                origin: self.origin.unwrap_or(old.details.origin),
            },
            terms: Terms {
                payment_days: self.payment_terms_days.unwrap_or(old.terms.payment_days),
                credit_limit: self.credit_limit.unwrap_or(old.terms.credit_limit),
            },
            ..old
        })
    }
}

impl Company {
    /// Nothing to tell when nothing changes.
    pub(crate) fn update(
        &mut self,
        changes: CompanyChanges,
        by: Side,
        now: Timestamp,
    ) -> Result<Option<CompanyFact>, CompanyError> {
        self.ensure_open()?;
        let next = CompanyState { version: self.0.version + 1, ..changes.onto(&self.0)? };
        self.check(&next, by)?;
        if next.details == self.0.details && next.terms == self.0.terms {
            return Ok(None);
        }
        let standing = next.standing();
        let Details {
            legal_name,
            trade_name,
            identification,
            size,
            categories,
            currency,
            time_zone,
            language,
            origin,
        } = next.details;
        let updated = CompanyUpdated {
            company_id: next.id,
            legal_name,
            trade_name,
            document_type: identification.as_ref().map(|id| id.code().to_owned()),
            document_number: identification.as_ref().map(|id| id.number().to_owned()),
            size: size.to_string(),
            categories,
            currency,
            time_zone,
            language,
            origin,
            payment_terms_days: next.terms.payment_days,
            credit_limit: next.terms.credit_limit,
            standing,
        };
        self.record(updated, now).map(Some)
    }

    fn check(&self, next: &CompanyState, by: Side) -> Result<(), CompanyError> {
        let (old, new) = (&self.0.details, &next.details);
        let same_identity = old.legal_name == new.legal_name && old.identification == new.identification;
        if by == Side::Company && !same_identity && !self.0.is_unjudged() {
            return Err(CompanyError::IdentityFixed);
        }
        if by == Side::Company && next.terms != self.0.terms {
            return Err(CompanyError::TermsGivenByPlatform);
        }
        match next.terms.credit_limit {
            Some(limit) if limit.is_negative() || limit.currency() != new.currency => {
                Err(CompanyError::CreditLimit)
            }
            _ => Ok(()),
        }
    }
}

impl CompanyState {
    pub(super) fn take(&mut self, fact: &CompanyUpdated) -> Result<(), Invalid> {
        let fact = fact.clone();
        self.details = Details {
            identification: known(self.country, fact.document_type, fact.document_number),
            legal_name: fact.legal_name,
            trade_name: fact.trade_name,
            size: fact.size.parse()?,
            categories: fact.categories,
            currency: fact.currency,
            time_zone: fact.time_zone,
            language: fact.language,
            origin: fact.origin,
        };
        self.terms = Terms { payment_days: fact.payment_terms_days, credit_limit: fact.credit_limit };
        Ok(())
    }
}
