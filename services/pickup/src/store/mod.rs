//! The only SQL of the service.

pub(crate) mod drivers;
pub(crate) mod invariants;
pub(crate) mod pickups;
pub(crate) mod requests;
pub(crate) mod service_areas;
pub(crate) mod slots;
pub(crate) mod standings;
pub(crate) mod vehicles;

use quenty_platform::row::{document, unreadable};
