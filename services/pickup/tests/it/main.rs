//! The service as its callers meet it: real HTTP, a real database, events through the bus.

#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test fail it by panicking")]

mod availability;
mod bad_input;
mod bookings;
mod concurrency;
mod fleet;
mod live;
mod orders;
mod service_areas;
mod stops;
mod strangers;
mod support;
