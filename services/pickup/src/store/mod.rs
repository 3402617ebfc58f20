//! The only SQL of the service.

pub(crate) mod drivers;
pub(crate) mod invariants;
pub(crate) mod pickups;
pub(crate) mod requests;
pub(crate) mod service_areas;
pub(crate) mod slots;
pub(crate) mod vehicles;

use quenty_platform::Error;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads a document that this service wrote.
fn document<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    serde_json::from_value(value).map_err(Error::from)
}

/// A word or value in a row that this version of the service does not know.
fn unreadable(what: &str) -> Error {
    Error::internal(format!("a row holds an unreadable {what}"))
}
