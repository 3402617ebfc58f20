//! What the tests of all crates stand on: real servers, started privately.
//!
//! A dev-dependency only: no line of it may reach the binary.

pub mod ports;
pub mod rabbit;
pub mod scratch_dir;
pub mod shared;
