//! Where stock lies. A company has one default warehouse from the first one on.

use quenty_contracts::order::WarehouseUpdated;
use quenty_kernel::{
    Event, Timestamp,
    address::Address,
    contact::{Phone, Text},
    id::{CompanyId, WarehouseId},
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct WarehouseCreated {
    warehouse_id: WarehouseId,
    company_id: CompanyId,
    name: Text<120>,
    address: Address,
    contact_phone: Option<Phone>,
    is_default: bool,
}

impl Event for WarehouseCreated {
    const TYPE: &'static str = "quenty.order.warehouse.created.v1";
    const PUBLISHED: bool = false;
}

quenty_kernel::facts! {
    pub(crate) enum WarehouseFact {
        Created(WarehouseCreated),
        Updated(WarehouseUpdated),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WarehouseError {
    #[error("there is no such warehouse")]
    NotFound,
    #[error("another warehouse of the company has this name")]
    NameTaken,
    #[error("another warehouse became the default at the same time")]
    DefaultMoved,
    #[error("the default warehouse cannot stop being it")]
    DefaultNeeded,
}

/// What a merchant says of a warehouse.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WarehouseDetails {
    pub(crate) name: Text<120>,
    pub(crate) address: Address,
    pub(crate) contact_phone: Option<Phone>,
    pub(crate) is_default: bool,
}

/// What an update sets; `None` leaves a field as it is, `Some(None)` empties it.
#[derive(Debug, Clone, Default)]
pub(crate) struct WarehouseChanges {
    pub(crate) name: Option<Text<120>>,
    pub(crate) address: Option<Address>,
    pub(crate) contact_phone: Option<Option<Phone>>,
    pub(crate) is_default: Option<bool>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WarehouseState {
    pub(crate) id: WarehouseId,
    pub(crate) company_id: CompanyId,
    pub(crate) details: WarehouseDetails,
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Warehouse(WarehouseState);

impl Warehouse {
    pub(crate) fn create(
        company_id: CompanyId,
        details: WarehouseDetails,
        now: Timestamp,
    ) -> (Self, WarehouseFact) {
        let created = WarehouseCreated {
            warehouse_id: WarehouseId::new(),
            company_id,
            name: details.name,
            address: details.address,
            contact_phone: details.contact_phone,
            is_default: details.is_default,
        };
        (Self::created(created.clone(), now), created.into())
    }

    /// Nothing to tell when nothing changes. Another warehouse takes the default over with [`Self::hand_over`].
    pub(crate) fn update(
        &mut self,
        changes: WarehouseChanges,
        now: Timestamp,
    ) -> Result<Option<WarehouseFact>, WarehouseError> {
        let old = self.0.details.clone();
        if old.is_default && changes.is_default == Some(false) {
            return Err(WarehouseError::DefaultNeeded);
        }
        let details = WarehouseDetails {
            name: changes.name.unwrap_or(old.name),
            address: changes.address.unwrap_or(old.address),
            contact_phone: changes.contact_phone.unwrap_or(old.contact_phone),
            is_default: changes.is_default.unwrap_or(old.is_default),
        };
        if details == self.0.details {
            return Ok(None);
        }
        Ok(Some(self.become_as(details, now)))
    }

    /// Stops being the default, because another warehouse becomes it.
    pub(crate) fn hand_over(&mut self, now: Timestamp) -> WarehouseFact {
        self.become_as(WarehouseDetails { is_default: false, ..self.0.details.clone() }, now)
    }

    fn become_as(&mut self, details: WarehouseDetails, now: Timestamp) -> WarehouseFact {
        let fact = WarehouseFact::Updated(WarehouseUpdated {
            warehouse_id: self.0.id,
            name: details.name,
            address: details.address,
            contact_phone: details.contact_phone,
            is_default: details.is_default,
        });
        self.apply(&fact, now);
        fact
    }

    fn created(fact: WarehouseCreated, now: Timestamp) -> Self {
        Self(WarehouseState {
            id: fact.warehouse_id,
            company_id: fact.company_id,
            details: WarehouseDetails {
                name: fact.name,
                address: fact.address,
                contact_phone: fact.contact_phone,
                is_default: fact.is_default,
            },
            version: 1,
            created_at: now,
            updated_at: now,
        })
    }

    fn apply(&mut self, fact: &WarehouseFact, now: Timestamp) {
        let WarehouseFact::Updated(fact) = fact else { return };
        let fact = fact.clone();
        self.0.details = WarehouseDetails {
            name: fact.name,
            address: fact.address,
            contact_phone: fact.contact_phone,
            is_default: fact.is_default,
        };
        self.0.version += 1;
        self.0.updated_at = now;
    }

    /// The way back from storage.
    pub(crate) fn from_state(state: WarehouseState) -> Self {
        Self(state)
    }
    pub(crate) fn state(&self) -> &WarehouseState {
        &self.0
    }
    pub(crate) fn id(&self) -> WarehouseId {
        self.0.id
    }
    pub(crate) fn company_id(&self) -> CompanyId {
        self.0.company_id
    }
    pub(crate) fn details(&self) -> &WarehouseDetails {
        &self.0.details
    }
    pub(crate) fn version(&self) -> i64 {
        self.0.version
    }
}

#[cfg(test)]
mod tests {
    use quenty_kernel::{address::AddressParts, country::CountryCode};

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn warehouse(is_default: bool) -> (Warehouse, WarehouseFact) {
        let address = Address::new(AddressParts {
            line1: "Calle 13 # 65-10".to_owned(),
            line2: None,
            city: "Bogotá".to_owned(),
            state: None,
            postal_code: None,
            country: "CO".parse::<CountryCode>().unwrap(),
            location: None,
        });
        let details = WarehouseDetails {
            name: "Centro".parse().unwrap(),
            address: address.unwrap(),
            contact_phone: None,
            is_default,
        };
        Warehouse::create(CompanyId::new(), details, at(1))
    }

    fn fold(facts: impl IntoIterator<Item = (WarehouseFact, Timestamp)>) -> Option<Warehouse> {
        facts.into_iter().fold(None, |warehouse: Option<Warehouse>, (fact, at)| match (warehouse, fact) {
            (None, WarehouseFact::Created(created)) => Some(Warehouse::created(created, at)),
            (Some(mut warehouse), fact) => {
                warehouse.apply(&fact, at);
                Some(warehouse)
            }
            (None, WarehouseFact::Updated(_)) => None,
        })
    }

    #[test]
    fn its_facts_rebuild_it() {
        let (mut warehouse, created) = warehouse(true);
        let phone = WarehouseChanges {
            contact_phone: Some(Some("+573001234567".parse().unwrap())),
            ..WarehouseChanges::default()
        };
        let updated = warehouse.update(phone, at(2)).unwrap().unwrap();
        let handed_over = warehouse.hand_over(at(3));
        assert!(!warehouse.details().is_default);
        assert_eq!(fold([(created, at(1)), (updated, at(2)), (handed_over, at(3))]).unwrap(), warehouse);
    }

    #[test]
    fn the_default_one_stays_it_until_another_takes_over() {
        let (mut warehouse, _) = warehouse(true);
        let no_default = WarehouseChanges { is_default: Some(false), ..WarehouseChanges::default() };
        assert_eq!(warehouse.update(no_default, at(2)), Err(WarehouseError::DefaultNeeded));
        assert_eq!(warehouse.update(WarehouseChanges::default(), at(2)), Ok(None));
    }
}
