//! The real service on a real PostgreSQL, through its HTTP and the bus.

mod fixtures;
mod manifests;
mod orders;
mod rates;
mod shipments;
mod strangers;
mod tracking;
