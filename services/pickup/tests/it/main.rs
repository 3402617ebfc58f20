//! The service as its callers meet it: real HTTP, a real database, events through the bus.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends with what it found"
)]

mod availability;
mod bad_input;
mod bookings;
mod concurrency;
mod fleet;
mod live;
mod orders;
mod privacy;
mod returns;
mod service_areas;
mod stops;
mod strangers;
mod support;
