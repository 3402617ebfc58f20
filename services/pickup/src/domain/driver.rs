//! Who collects.

use jiff::Timestamp;
use quenty_kernel::{
    Event,
    contact::{PersonName, Phone, Text},
    id::{DriverId, UserId, VehicleId},
};
use serde::{Deserialize, Serialize};

quenty_kernel::words! {
    pub(crate) enum DriverStatus ("driver status") {
        Active = "active",
        /// Gets no new stops.
        Inactive = "inactive",
    }
}

/// What is kept of a driver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct DriverProfile {
    pub(crate) name: PersonName,
    pub(crate) phone: Phone,
    pub(crate) status: DriverStatus,
    /// What the driver may be trusted with, in the operator's own words.
    pub(crate) skills: Vec<Text<40>>,
    pub(crate) vehicle_id: Option<VehicleId>,
}

#[derive(Debug, Clone)]
pub(crate) struct Driver {
    pub(crate) id: DriverId,
    /// Whose token reaches this driver's stops.
    pub(crate) user_id: UserId,
    pub(crate) profile: DriverProfile,
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct DriverCreated {
    pub(crate) user_id: UserId,
    pub(crate) profile: DriverProfile,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct DriverUpdated {
    pub(crate) profile: DriverProfile,
}

impl Event for DriverCreated {
    const TYPE: &'static str = "quenty.pickup.driver.created.v1";
    const PUBLISHED: bool = false;
    const PERSONAL: &'static [&'static str] = &["profile"];
}

impl Event for DriverUpdated {
    const TYPE: &'static str = "quenty.pickup.driver.updated.v1";
    const PUBLISHED: bool = false;
    const PERSONAL: &'static [&'static str] = &["profile"];
}

quenty_kernel::facts! {
    pub(crate) enum DriverFact { Created(DriverCreated), Updated(DriverUpdated) }
}

impl Driver {
    pub(crate) fn create(
        id: DriverId,
        user_id: UserId,
        profile: DriverProfile,
        now: Timestamp,
    ) -> (Self, DriverFact) {
        let fact = DriverCreated { user_id, profile: profile.clone() };
        (Self { id, user_id, profile, version: 1, created_at: now, updated_at: now }, fact.into())
    }

    pub(crate) fn update(&mut self, profile: DriverProfile, now: Timestamp) -> DriverFact {
        self.profile = profile;
        self.version += 1;
        self.updated_at = now;
        DriverUpdated { profile: self.profile.clone() }.into()
    }

    pub(crate) fn is_active(&self) -> bool {
        self.profile.status == DriverStatus::Active
    }
}
