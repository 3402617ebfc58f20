//! A customer: whom a company sells and ships to. Orders point here and keep their own copy of the address.

mod addresses;
#[cfg(test)]
mod tests;

use quenty_contracts::customer::{CustomerAddress, CustomerCreated, CustomerUpdated};
use quenty_kernel::{
    Event, Invalid, Timestamp,
    contact::{Email, LanguageTag, Phone, Text},
    country::CountryCode,
    id::{CompanyId, CustomerId},
};

use serde::{Deserialize, Serialize};

pub(crate) use addresses::{AddressEntry, MAX_ADDRESSES};

use super::identification::{Identification, IdentificationError, Identified};

quenty_kernel::words! {
    pub(crate) enum CustomerKind ("customer kind") { Individual = "individual", Business = "business" }
}

impl CustomerKind {
    fn identified(self) -> Identified {
        match self {
            Self::Individual => Identified::Person,
            Self::Business => Identified::Company,
        }
    }
}

/// All that was held about them is gone; what stays is that there was somebody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CustomerErased {
    pub(crate) customer_id: CustomerId,
}

impl Event for CustomerErased {
    const TYPE: &'static str = "quenty.customer.customer.erased.v1";
    const PUBLISHED: bool = false;
}

quenty_kernel::facts! {
    pub(crate) enum CustomerFact {
        Created(CustomerCreated),
        Updated(CustomerUpdated),
        Erased(CustomerErased),
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CustomerError {
    #[error("there is no such customer")]
    NotFound,
    #[error("the customer was erased")]
    Erased,
    #[error("another customer of the company has this e-mail address")]
    EmailTaken(Option<CustomerId>),
    #[error("a customer has at most {MAX_ADDRESSES} addresses")]
    TooManyAddresses,
    #[error("the address is not one of the customer's")]
    UnknownAddress { index: usize },
    #[error("two addresses are marked {0}")]
    TwoDefaults(&'static str),
    #[error("neither an e-mail address nor an external key says who it is")]
    NotIdentifiable,
    #[error(transparent)]
    Identification(#[from] IdentificationError),
    #[error(transparent)]
    Unreadable(#[from] Invalid),
}

/// A document as a caller gives it.
#[derive(Debug, Clone)]
pub(crate) struct DocumentEntry {
    pub(crate) country: CountryCode,
    pub(crate) code: String,
    pub(crate) number: String,
}

/// What a company says of a new customer.
#[derive(Debug, Clone)]
pub(crate) struct NewCustomer {
    pub(crate) kind: CustomerKind,
    pub(crate) name: Text<120>,
    pub(crate) email: Option<Email>,
    pub(crate) phone: Option<Phone>,
    pub(crate) document: Option<DocumentEntry>,
    pub(crate) addresses: Vec<AddressEntry>,
    pub(crate) language: Option<LanguageTag>,
    /// Its id in the system that an import came from.
    pub(crate) external_key: Option<Text<200>>,
}

/// What an update sets; `None` leaves a field as it is, `Some(None)` empties it.
#[derive(Debug, Clone, Default)]
pub(crate) struct CustomerChanges {
    pub(crate) name: Option<Text<120>>,
    pub(crate) email: Option<Option<Email>>,
    pub(crate) phone: Option<Option<Phone>>,
    pub(crate) document: Option<Option<DocumentEntry>>,
    /// The whole new list.
    pub(crate) addresses: Option<Vec<AddressEntry>>,
    pub(crate) language: Option<Option<LanguageTag>>,
    pub(crate) blocked: Option<bool>,
}

/// A customer and all that the row keeps.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CustomerState {
    pub(crate) id: CustomerId,
    pub(crate) company_id: CompanyId,
    pub(crate) kind: CustomerKind,
    pub(crate) name: Text<120>,
    pub(crate) email: Option<Email>,
    pub(crate) phone: Option<Phone>,
    pub(crate) identification: Option<Identification>,
    pub(crate) addresses: Vec<CustomerAddress>,
    pub(crate) language: Option<LanguageTag>,
    pub(crate) blocked: bool,
    pub(crate) external_key: Option<String>,
    /// Since when nobody knows who it was.
    pub(crate) erased_at: Option<Timestamp>,
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Customer(CustomerState);

impl Customer {
    pub(crate) fn create(
        company_id: CompanyId,
        new: NewCustomer,
        now: Timestamp,
    ) -> Result<(Self, CustomerFact), CustomerError> {
        let identification = new.document.map(|document| identify(None, new.kind, &document)).transpose()?;
        let created = CustomerCreated {
            customer_id: CustomerId::new(),
            company_id,
            kind: new.kind.to_string(),
            name: new.name,
            email: new.email,
            phone: new.phone,
            document_country: identification.as_ref().map(Identification::country),
            document_type: identification.as_ref().map(|id| id.code().to_owned()),
            document_number: identification.as_ref().map(|id| id.number().to_owned()),
            addresses: addresses::book(new.addresses, &[])?,
            language: new.language,
            blocked: false,
            external_key: new.external_key.map(|key| key.to_string()),
        };
        Ok((Self::created(created.clone(), now)?, created.into()))
    }

    /// As [`Customer::create`], for one who must be found again by what an import knows of them.
    pub(crate) fn import(
        company_id: CompanyId,
        new: NewCustomer,
        now: Timestamp,
    ) -> Result<(Self, CustomerFact), CustomerError> {
        if new.email.is_none() && new.external_key.is_none() {
            return Err(CustomerError::NotIdentifiable);
        }
        Self::create(company_id, new, now)
    }

    /// Nothing to tell when nothing changes.
    pub(crate) fn update(
        &mut self,
        changes: CustomerChanges,
        now: Timestamp,
    ) -> Result<Option<CustomerFact>, CustomerError> {
        if self.is_erased() {
            return Err(CustomerError::Erased);
        }
        let old = self.0.clone();
        let identification = match changes.document {
            Some(document) => {
                document.map(|document| identify(old.identification, old.kind, &document)).transpose()?
            }
            None => old.identification,
        };
        let addresses = match changes.addresses {
            Some(entries) => addresses::book(entries, &old.addresses)?,
            None => old.addresses,
        };
        let updated = CustomerUpdated {
            customer_id: old.id,
            company_id: old.company_id,
            name: changes.name.unwrap_or(old.name),
            email: changes.email.unwrap_or(old.email),
            phone: changes.phone.unwrap_or(old.phone),
            document_country: identification.as_ref().map(Identification::country),
            document_type: identification.as_ref().map(|id| id.code().to_owned()),
            document_number: identification.as_ref().map(|id| id.number().to_owned()),
            addresses,
            language: changes.language.unwrap_or(old.language),
            blocked: changes.blocked.unwrap_or(old.blocked),
        };
        let mut next = self.clone();
        let fact = updated.into();
        next.apply(&fact, now);
        let same = CustomerState { version: self.0.version, updated_at: self.0.updated_at, ..next.0.clone() };
        if same == self.0 {
            return Ok(None);
        }
        *self = next;
        Ok(Some(fact))
    }

    /// Forgets who they are; nothing to tell of one who is forgotten.
    pub(crate) fn erase(&mut self, now: Timestamp) -> Option<CustomerFact> {
        let erased = CustomerErased { customer_id: self.0.id }.into();
        let is_news = !self.is_erased();
        is_news.then(|| {
            self.apply(&erased, now);
            erased
        })
    }

    pub(crate) fn is_erased(&self) -> bool {
        self.0.erased_at.is_some()
    }

    fn created(fact: CustomerCreated, now: Timestamp) -> Result<Self, Invalid> {
        Ok(Self(CustomerState {
            id: fact.customer_id,
            company_id: fact.company_id,
            kind: fact.kind.parse()?,
            name: fact.name,
            email: fact.email,
            phone: fact.phone,
            identification: known(fact.document_country, fact.document_type, fact.document_number),
            addresses: fact.addresses,
            language: fact.language,
            blocked: fact.blocked,
            external_key: fact.external_key,
            erased_at: None,
            version: 1,
            created_at: now,
            updated_at: now,
        }))
    }

    fn apply(&mut self, fact: &CustomerFact, now: Timestamp) {
        let state = &mut self.0;
        match fact.clone() {
            // Only the first fact creates.
            CustomerFact::Created(_) => return,
            CustomerFact::Updated(fact) => {
                state.name = fact.name;
                state.email = fact.email;
                state.phone = fact.phone;
                state.identification = known(fact.document_country, fact.document_type, fact.document_number);
                state.addresses = fact.addresses;
                state.language = fact.language;
                state.blocked = fact.blocked;
            }
            CustomerFact::Erased(_) => {
                state.name = Text::erased();
                state.email = None;
                state.phone = None;
                state.identification = None;
                state.addresses = Vec::new();
                state.external_key = None;
                state.erased_at = Some(now);
            }
        }
        state.version += 1;
        state.updated_at = now;
    }

    /// Rebuilds the customer from its facts.
    #[cfg(test)]
    fn fold(facts: impl IntoIterator<Item = (CustomerFact, Timestamp)>) -> Result<Option<Self>, Invalid> {
        let mut customer = None;
        for (fact, at) in facts {
            match (&mut customer, fact) {
                (None, CustomerFact::Created(created)) => customer = Some(Self::created(created, at)?),
                (Some(customer), fact) => Self::apply(customer, &fact, at),
                (None, _) => {}
            }
        }
        Ok(customer)
    }

    /// The way back from storage.
    pub(crate) fn from_state(state: CustomerState) -> Self {
        Self(state)
    }
    pub(crate) fn state(&self) -> &CustomerState {
        &self.0
    }
    pub(crate) fn id(&self) -> CustomerId {
        self.0.id
    }
    pub(crate) fn company_id(&self) -> CompanyId {
        self.0.company_id
    }
    pub(crate) fn version(&self) -> i64 {
        self.0.version
    }
}

fn identify(
    known: Option<Identification>,
    kind: CustomerKind,
    document: &DocumentEntry,
) -> Result<Identification, IdentificationError> {
    Identification::again(known, document.country, &document.code, &document.number, kind.identified())
}

/// A document that was checked when it came in.
fn known(
    country: Option<CountryCode>,
    code: Option<String>,
    number: Option<String>,
) -> Option<Identification> {
    Some(Identification::known(country?, code?, number?))
}
