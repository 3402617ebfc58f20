//! The rules of catalogue, stock and orders: pure and synchronous, told the time by its callers.

pub(crate) mod erasure;
pub(crate) mod fulfilment;
pub(crate) mod import;
pub(crate) mod order;
pub(crate) mod placing;
pub(crate) mod product;
pub(crate) mod reservation;
pub(crate) mod standing;
pub(crate) mod stock;
pub(crate) mod timeline;
pub(crate) mod transfer;
pub(crate) mod warehouse;
