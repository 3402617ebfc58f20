//! Stories across services, told to the real binary through its gateway: on the local bus (`quenty up`) and on
//! RabbitMQ (a `quenty serve` process per service). After each the independent checker reads every database.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends with what it found"
)]

mod harness;

mod bad_input;
mod commands;
mod deadlines;
mod demo;
mod import;
mod journeys;
mod kill;
mod lifecycle;
mod operators;
mod outages;
mod planted;
mod returned;
mod strangers;
mod traces;
