//! What the tests of all crates stand on: real servers, started privately, real services on them.
//!
//! A dev-dependency only: no line of it may reach the binary.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on says why and ends")]

pub mod app;
pub mod authenticator;
pub mod certificates;
pub mod checker;
pub mod collector;
pub mod consul;
pub mod database;
pub mod http;
pub mod keys;
pub mod mentions;
pub mod neighbour;
pub mod reads;
pub mod scratch_dir;
pub mod shared;
pub mod strangers;
pub mod stream;
pub mod wait;

pub use quenty_servers::{nginx, ports, rabbit, redis};

pub use app::{TestApp, TestOptions};
pub use wait::eventually;
