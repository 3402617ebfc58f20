//! What drivers drive, and how much fits.

use jiff::Timestamp;
use quenty_contracts::party::Parcel;
use quenty_kernel::{Event, id::VehicleId};
use serde::{Deserialize, Serialize};

quenty_kernel::words! {
    pub(crate) enum VehicleKind ("vehicle kind") {
        Bike = "bike",
        Motorcycle = "motorcycle",
        Car = "car",
        Van = "van",
        Truck = "truck",
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
