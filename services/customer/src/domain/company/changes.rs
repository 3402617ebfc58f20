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
    Company, CompanyError, CompanyFact, CompanySize, CompanyState, Details, Identification, KycStatus,
    Reviewer, Terms, known,
};

/// On whose behalf a change is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Company,
    Platform(Reviewer),
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
                let (known, holder) = (old.details.identification, old.kind.identified());
                Some(Identification::again(known, old.country, &code, &number, holder)?)
            }
            None => old.details.identification,
        };
        let next = CompanyState {
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
        };
        let (kyc, kyc_reason) = state.kyc_of(&next.details);
        Ok(CompanyState { kyc, kyc_reason, ..next })
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
        let same_identity = self.0.details.is_same_identity(&next.details);
        let same_terms = next.terms == self.0.terms;
        match by {
            Side::Company if !same_identity && !self.0.is_identity_open() => {
                return Err(CompanyError::IdentityFixed);
            }
            Side::Company if !same_terms => return Err(CompanyError::TermsGivenByPlatform),
            Side::Platform(by) if !same_identity || !same_terms => self.check_four_eyes(by)?,
            Side::Company | Side::Platform(_) => {}
        }
        match next.terms.credit_limit {
            Some(limit) if same_terms && limit.currency() != next.details.currency => {
                Err(CompanyError::CreditLimitFixesCurrency(limit.currency()))
            }
            Some(limit) if limit.is_negative() || limit.currency() != next.details.currency => {
                Err(CompanyError::CreditLimit)
            }
            _ => Ok(()),
        }
    }
}

impl Details {
    fn is_same_identity(&self, other: &Self) -> bool {
        self.legal_name == other.legal_name && self.identification == other.identification
    }
}

impl CompanyState {
    /// KYC is that of an identity: nobody has looked at another one.
    fn kyc_of(&self, details: &Details) -> (KycStatus, Option<String>) {
        if self.details.is_same_identity(details) {
            (self.kyc, self.kyc_reason.clone())
        } else {
            (KycStatus::NotStarted, None)
        }
    }

    pub(super) fn take(&mut self, fact: &CompanyUpdated) -> Result<(), Invalid> {
        let fact = fact.clone();
        let details = Details {
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
        (self.kyc, self.kyc_reason) = self.kyc_of(&details);
        self.details = details;
        self.terms = Terms { payment_days: fact.payment_terms_days, credit_limit: fact.credit_limit };
        Ok(())
    }
}
