//! What drivers drive, and how much fits.

use jiff::Timestamp;
use quenty_contracts::party::Parcel;
use quenty_kernel::{Event, id::VehicleId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum VehicleKind {
    Bike,
    Motorcycle,
    Car,
    Van,
    Truck,
}

impl VehicleKind {
    const ALL: [Self; 5] = [Self::Bike, Self::Motorcycle, Self::Car, Self::Van, Self::Truck];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Bike => "bike",
            Self::Motorcycle => "motorcycle",
            Self::Car => "car",
            Self::Van => "van",
            Self::Truck => "truck",
        }
    }

    pub(crate) fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Vehicle {
    pub(crate) id: VehicleId,
    pub(crate) kind: VehicleKind,
    pub(crate) capacity_grams: u32,
    pub(crate) capacity_cm3: u32,
    pub(crate) created_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct VehicleCreated {
    pub(crate) kind: VehicleKind,
    pub(crate) capacity_grams: u32,
    pub(crate) capacity_cm3: u32,
}

impl Event for VehicleCreated {
    const TYPE: &'static str = "quenty.pickup.vehicle.created.v1";
    const PUBLISHED: bool = false;
}

quenty_kernel::facts! {
    pub(crate) enum VehicleFact { Created(VehicleCreated) }
}

impl Vehicle {
    pub(crate) fn create(id: VehicleId, created: VehicleCreated, now: Timestamp) -> (Self, VehicleFact) {
        let VehicleCreated { kind, capacity_grams, capacity_cm3 } = created;
        (Self { id, kind, capacity_grams, capacity_cm3, created_at: now }, created.into())
    }

    /// Whether the parcels fit into the empty vehicle; a parcel of unknown size counts by weight only.
    pub(crate) fn carries(&self, parcels: &[Parcel]) -> bool {
        let grams: u64 = parcels.iter().map(|parcel| u64::from(parcel.weight_grams.get())).sum();
        let cm3: u64 =
            parcels.iter().filter_map(|parcel| parcel.dimensions).map(|size| size.volume_cm3()).sum();
        grams <= u64::from(self.capacity_grams) && cm3 <= u64::from(self.capacity_cm3)
    }
}
