//! The gateway as its clients meet it: a real listener, with small services behind it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends with what it found"
)]

mod access;
mod api_keys;
mod attacks;
mod bodies;
mod browsers;
mod caching;
mod compression;
mod connections;
mod draining;
mod edges;
mod forwarding;
mod health;
mod limits;
mod reference;
mod resilience;
mod retirement;
mod shared_limits;
mod support;
mod tls;
mod unreadable;
