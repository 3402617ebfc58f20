//! The real service on a real PostgreSQL, through its HTTP and the bus.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends with what it found"
)]

mod fixtures;
mod manifests;
mod orders;
mod privacy;
mod rates;
mod returns;
mod returns_given_up;
mod shipments;
mod strangers;
mod tracking;
