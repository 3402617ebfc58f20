//! The only SQL of the service. A function here reads or writes; it decides nothing.

pub(crate) mod movements;
pub(crate) mod products;
pub(crate) mod reservations;
pub(crate) mod stock;
pub(crate) mod transfers;
pub(crate) mod warehouses;

use quenty_platform::Error;

/// For a row that breaks the rules of the type that it is read into: a bug or a hand at work, never a caller's fault.
pub(crate) fn unreadable(what: &'static str) -> impl Fn(&dyn std::fmt::Display) -> Error {
    move |why| Error::internal(format!("cannot read {what} from its row: {why}"))
}
