//! The rules of catalogue, stock and orders: pure and synchronous, told the time by its callers.

pub(crate) mod product;
pub(crate) mod reservation;
pub(crate) mod stock;
pub(crate) mod transfer;
pub(crate) mod warehouse;
