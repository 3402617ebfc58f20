//! The company: our client, the tenant. From its registration through its approval to its end, with what it
//! may do at each moment (its standing).
//!
//! Must never know who may call what: callers hold permissions; here are the rules that hold for all of them.

mod changes;
mod review;
mod status;
#[cfg(test)]
mod tests;

use quenty_contracts::customer::{
    CompanyApproved, CompanyClosed, CompanyReactivated, CompanyRegistered, CompanyRejected, CompanySubmitted,
    CompanySuspended, CompanyUpdated, KycRejected, KycSubmitted, KycVerified, Standing,
};
use quenty_kernel::{
    Invalid, Timestamp,
    address::Address,
    contact::{LanguageTag, Text, TimeZoneName},
    country::CountryCode,
    currency::Currency,
    id::{CompanyId, UserId},
    money::Money,
};

pub(crate) use changes::{CompanyChanges, Side};
pub(crate) use review::{KycDecision, Reviewer};
pub(crate) use status::{CompanyStatus, KycStatus};

use super::identification::{Identification, IdentificationError, Identified};

quenty_kernel::facts! {
    pub(crate) enum CompanyFact {
        Registered(CompanyRegistered),
        Updated(CompanyUpdated),
        Submitted(CompanySubmitted),
        Approved(CompanyApproved),
        Rejected(CompanyRejected),
        Suspended(CompanySuspended),
        Reactivated(CompanyReactivated),
        Closed(CompanyClosed),
        KycSubmitted(KycSubmitted),
        KycVerified(KycVerified),
        KycRejected(KycRejected),
    }
}

quenty_kernel::words! {
    pub(crate) enum CompanyKind ("company kind") { Business = "business", Individual = "individual" }
}

quenty_kernel::words! {
    pub(crate) enum CompanySize ("company size") { Small = "small", Medium = "medium", Large = "large" }
}

impl CompanyKind {
    pub(crate) fn identified(self) -> Identified {
        match self {
            Self::Business => Identified::Company,
            Self::Individual => Identified::Person,
        }
    }

    /// # Errors
    /// When the country has no document that such a company could ever bring.
    pub(crate) fn check_country(self, country: CountryCode) -> Result<(), CompanyError> {
        if self.identified().has_document_of(country) {
            Ok(())
        } else {
            Err(CompanyError::CountryNotSupported(country))
        }
    }

    /// What a company of this kind must bring before it can be reviewed.
    fn required(self) -> &'static str {
        match self {
            Self::Business => "tax_number",
            Self::Individual => "identity_document",
        }
    }
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CompanyError {
    #[error("there is no such company")]
    NotFound,
    #[error("a company that is {from} cannot become {to}")]
    Illegal { from: &'static str, to: &'static str },
    #[error("KYC that is {from} cannot become {to}")]
    IllegalKyc { from: &'static str, to: &'static str },
    #[error("the company is closed")]
    Closed,
    #[error("the company is the reviewer's own")]
    OwnCompany,
    #[error("{} is missing", missing.join(", "))]
    Missing { missing: Vec<String> },
    #[error("the legal name and the document are fixed once a review has begun")]
    IdentityFixed,
    #[error("payment terms and credit limit are given by the platform")]
    TermsGivenByPlatform,
    #[error("the credit limit is negative or in another currency than the company's")]
    CreditLimit,
    #[error("the company has a credit limit in {}", .0.code())]
    CreditLimitFixesCurrency(Currency),
    #[error("another company has this document number")]
    DocumentTaken,
    #[error("no document of {0} identifies a business")]
    CountryNotSupported(CountryCode),
    #[error(transparent)]
    Identification(#[from] IdentificationError),
    #[error(transparent)]
    Unreadable(#[from] Invalid),
}

/// What a company may set itself, at registration and later.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Details {
    pub(crate) legal_name: Text<200>,
    pub(crate) trade_name: Text<120>,
    pub(crate) identification: Option<Identification>,
    pub(crate) size: CompanySize,
    pub(crate) categories: Vec<Text<60>>,
    pub(crate) currency: Currency,
    pub(crate) time_zone: TimeZoneName,
    pub(crate) language: LanguageTag,
    /// Where it ships from unless an order says otherwise.
    pub(crate) origin: Option<Address>,
}

/// On which terms the platform trusts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Terms {
    pub(crate) payment_days: u16,
    pub(crate) credit_limit: Option<Money>,
}

/// A company and all that its row keeps.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CompanyState {
    pub(crate) id: CompanyId,
    pub(crate) kind: CompanyKind,
    pub(crate) country: CountryCode,
    pub(crate) details: Details,
    pub(crate) terms: Terms,
    pub(crate) registered_by: UserId,
    pub(crate) status: CompanyStatus,
    /// Why it was rejected, suspended or closed.
    pub(crate) status_reason: Option<String>,
    pub(crate) kyc: KycStatus,
    pub(crate) kyc_reason: Option<String>,
    /// Raised by every fact; the version of the standing, too.
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl CompanyState {
    /// Whether the company may say anew who it is: nobody has begun to judge it, or it was found wrong.
    fn is_identity_open(&self) -> bool {
        match self.kyc {
            KycStatus::NotStarted | KycStatus::Rejected => self.status.is_before_review(),
            KycStatus::Pending => false,
            KycStatus::Verified => self.status == CompanyStatus::Rejected,
        }
    }

    pub(crate) fn missing(&self) -> Vec<String> {
        if self.details.identification.is_some() { Vec::new() } else { vec![self.kind.required().to_owned()] }
    }

    pub(crate) fn standing(&self) -> Standing {
        let may_order = self.status == CompanyStatus::Active;
        Standing {
            company_id: self.id,
            version: self.version,
            status: self.status.to_string(),
            may_order,
            may_ship_internationally: may_order && self.kyc == KycStatus::Verified,
            currency: self.details.currency,
            time_zone: self.details.time_zone.to_string(),
            payment_terms_days: self.terms.payment_days,
            credit_limit: self.terms.credit_limit,
            trade_name: self.details.trade_name.to_string(),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Company(CompanyState);

impl Company {
    pub(crate) fn register(
        kind: CompanyKind,
        country: CountryCode,
        details: Details,
        registered_by: UserId,
        now: Timestamp,
    ) -> (Self, CompanyFact) {
        let state = CompanyState {
            id: CompanyId::new(),
            kind,
            country,
            details,
            terms: Terms::default(),
            registered_by,
            status: CompanyStatus::Registered,
            status_reason: None,
            kyc: KycStatus::NotStarted,
            kyc_reason: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
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
        } = state.details.clone();
        let registered = CompanyRegistered {
            company_id: state.id,
            kind: kind.to_string(),
            legal_name,
            trade_name,
            country,
            document_type: identification.as_ref().map(|id| id.code().to_owned()),
            document_number: identification.as_ref().map(|id| id.number().to_owned()),
            size: size.to_string(),
            categories,
            currency,
            time_zone,
            language,
            origin,
            registered_by,
            standing: state.standing(),
        };
        (Self(state), registered.into())
    }

    /// # Errors
    /// When the company is closed: nothing of it changes any more.
    pub(crate) fn ensure_open(&self) -> Result<(), CompanyError> {
        if self.0.status == CompanyStatus::Closed { Err(CompanyError::Closed) } else { Ok(()) }
    }

    /// Its standing once it has moved on to `status` and `kyc`.
    fn standing_at(&self, status: CompanyStatus, kyc: KycStatus) -> Standing {
        CompanyState { status, kyc, version: self.0.version + 1, ..self.0.clone() }.standing()
    }

    fn record(&mut self, fact: impl Into<CompanyFact>, now: Timestamp) -> Result<CompanyFact, CompanyError> {
        let fact = fact.into();
        self.apply(&fact, now)?;
        Ok(fact)
    }

    fn registered(fact: &CompanyRegistered, now: Timestamp) -> Result<Self, Invalid> {
        let fact = fact.clone();
        Ok(Self(CompanyState {
            id: fact.company_id,
            kind: fact.kind.parse()?,
            country: fact.country,
            details: Details {
                identification: known(fact.country, fact.document_type, fact.document_number),
                legal_name: fact.legal_name,
                trade_name: fact.trade_name,
                size: fact.size.parse()?,
                categories: fact.categories,
                currency: fact.currency,
                time_zone: fact.time_zone,
                language: fact.language,
                origin: fact.origin,
            },
            terms: Terms::default(),
            registered_by: fact.registered_by,
            status: CompanyStatus::Registered,
            status_reason: None,
            kyc: KycStatus::NotStarted,
            kyc_reason: None,
            version: 1,
            created_at: now,
            updated_at: now,
        }))
    }

    fn apply(&mut self, fact: &CompanyFact, now: Timestamp) -> Result<(), Invalid> {
        let state = &mut self.0;
        let mut becomes = |status, reason: Option<&String>| {
            state.status = status;
            state.status_reason = reason.cloned();
        };
        match fact {
            CompanyFact::Registered(_) => return Ok(()),
            CompanyFact::Updated(fact) => state.take(fact)?,
            CompanyFact::Submitted(fact) if fact.missing.is_empty() => becomes(CompanyStatus::InReview, None),
            CompanyFact::Submitted(_) => becomes(CompanyStatus::DocumentsPending, None),
            CompanyFact::Approved(_) | CompanyFact::Reactivated(_) => becomes(CompanyStatus::Active, None),
            CompanyFact::Rejected(fact) => becomes(CompanyStatus::Rejected, Some(&fact.reason)),
            CompanyFact::Suspended(fact) => becomes(CompanyStatus::Suspended, Some(&fact.reason)),
            CompanyFact::Closed(fact) => becomes(CompanyStatus::Closed, Some(&fact.reason)),
            CompanyFact::KycSubmitted(_) => (state.kyc, state.kyc_reason) = (KycStatus::Pending, None),
            CompanyFact::KycVerified(_) => (state.kyc, state.kyc_reason) = (KycStatus::Verified, None),
            CompanyFact::KycRejected(fact) => {
                (state.kyc, state.kyc_reason) = (KycStatus::Rejected, Some(fact.reason.clone()))
            }
        }
        state.version += 1;
        state.updated_at = now;
        Ok(())
    }

    /// Rebuilds the company from its facts.
    pub(crate) fn fold(
        facts: impl IntoIterator<Item = (CompanyFact, Timestamp)>,
    ) -> Result<Option<Self>, Invalid> {
        let mut company = None;
        for (fact, at) in facts {
            match (&mut company, &fact) {
                (None, CompanyFact::Registered(registered)) => {
                    company = Some(Self::registered(registered, at)?)
                }
                (Some(company), fact) => Self::apply(company, fact, at)?,
                (None, _) => {}
            }
        }
        Ok(company)
    }

    /// The way back from storage.
    pub(crate) fn from_state(state: CompanyState) -> Self {
        Self(state)
    }
    pub(crate) fn state(&self) -> &CompanyState {
        &self.0
    }
    pub(crate) fn id(&self) -> CompanyId {
        self.0.id
    }
    pub(crate) fn version(&self) -> i64 {
        self.0.version
    }
}

/// A document that was checked when it came in.
fn known(country: CountryCode, code: Option<String>, number: Option<String>) -> Option<Identification> {
    Some(Identification::known(country, code?, number?))
}
