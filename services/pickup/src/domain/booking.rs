//! What is asked of Pickup, what it answers with, and why it may have to say no.

use jiff::{Timestamp, civil::Date};
use quenty_contracts::party::{Parcel, Party};
use quenty_kernel::{
    currency::Currency,
    id::{CompanyId, OrderId, PickupId, ReturnId},
    money::Money,
};
use serde::{Deserialize, Serialize};

use super::{
    fees::{Cost, Priced},
    service_area::ServiceArea,
    timetable::Window,
};

quenty_kernel::words! {
    /// How a pickup is promised.
    pub(crate) enum PickupKind ("pickup kind") {
        /// Collected within two hours.
        OnDemand = "on_demand",
        /// Collected within a slot.
        Scheduled = "scheduled",
        /// Collected within an hour, or its fee is refunded.
        Express = "express",
    }
}

/// The local day and slot that were asked for; what is absent is left to us.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wanted {
    pub(crate) date: Option<Date>,
    /// The slot's local start. Text, because another service's words that fit no slot are an answer, not an error.
    pub(crate) slot: Option<String>,
}

/// Whose request it is, when another service asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    Order(OrderId),
    Return(ReturnId),
}

impl Asker {
    pub(crate) const fn order_id(self) -> Option<OrderId> {
        match self {
            Self::Order(id) => Some(id),
            Self::Return(_) => None,
        }
    }

    pub(crate) const fn return_id(self) -> Option<ReturnId> {
        match self {
            Self::Order(_) => None,
            Self::Return(id) => Some(id),
        }
    }
}

/// Another service no longer wants what it asked for.
#[derive(Debug, Clone)]
pub(crate) struct CancelWish {
    pub(crate) asker: Asker,
    pub(crate) attempt: u32,
    /// What the asker heard that was booked, if it has heard yet.
    pub(crate) pickup_id: Option<PickupId>,
    pub(crate) reason: String,
}

/// A pickup as it was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct BookingRequest {
    pub(crate) company_id: CompanyId,
    pub(crate) order_id: Option<OrderId>,
    pub(crate) return_id: Option<ReturnId>,
    pub(crate) attempt: u32,
    pub(crate) kind: PickupKind,
    pub(crate) wanted: Wanted,
    pub(crate) contact: Party,
    pub(crate) parcels: Vec<Parcel>,
    pub(crate) insured_value: Option<Money>,
    pub(crate) packaging: bool,
    pub(crate) tracking_number: Option<String>,
}

impl BookingRequest {
    pub(crate) fn priced(&self) -> Priced<'_> {
        Priced {
            kind: self.kind,
            parcels: &self.parcels,
            insured_value: self.insured_value,
            packaging: self.packaging,
        }
    }
}

/// A promise that the service could make: when, in which slot, for how much.
#[derive(Debug, Clone)]
pub(crate) struct Placement {
    pub(crate) area: ServiceArea,
    pub(crate) window: Window,
    /// The start of the slot in which a place was taken.
    pub(crate) slot_start: Timestamp,
    pub(crate) cost: Cost,
}

/// Why nobody can come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unbookable {
    #[error("no service area covers this address; a location or a postal code helps to find one")]
    NoServiceArea,
    #[error("no slot has room for it; GET /api/v1/pickups/availability lists those that have")]
    NoCapacity,
    #[error("the service area offers no express pickups; ask for on_demand or scheduled")]
    ExpressUnavailable,
    #[error("here only a value declared in {currency} can be insured; declare it so, or leave insurance out")]
    InsuranceUnavailable { currency: Currency },
    #[error("weight and declared value give a price beyond any amount; split the pickup")]
    PriceTooLarge,
}

impl Unbookable {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::NoServiceArea => "NO_SERVICE_AREA",
            Self::NoCapacity => "NO_CAPACITY",
            Self::ExpressUnavailable => "EXPRESS_UNAVAILABLE",
            Self::InsuranceUnavailable { .. } => "INSURANCE_UNAVAILABLE",
            Self::PriceTooLarge => "PRICE_TOO_LARGE",
        }
    }
}
