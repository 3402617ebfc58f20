//! The rules of Shipping: what a parcel costs, what may travel, how a shipment and a manifest move on.
//!
//! Pure and synchronous: nothing here asks a clock, a database or the network.

pub mod manifest;
pub mod printable;
pub mod quote;
pub mod rules;
pub mod shipment;
pub mod tariff;
pub mod tracking;
pub mod tracking_number;
