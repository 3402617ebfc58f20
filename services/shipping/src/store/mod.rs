//! The only SQL of Shipping.

pub mod countries;
pub mod erasures;
pub mod invariants;
pub mod manifest_items;
pub mod manifests;
pub mod neighbours;
pub mod shipments;
pub mod tariff;
pub mod tracking;
