//! The service as its callers meet it: real HTTP, a real database, events through the bus.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends with what it found"
)]

mod concurrency;
mod deadlines;
mod dispositions;
mod exchanges;
mod payouts;
mod photos;
mod policies;
mod privacy;
mod recalls;
mod refunds;
mod requests;
mod strangers;
mod support;
mod tracking;
mod warehouse;
mod way_back;
