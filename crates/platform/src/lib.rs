//! The chassis: everything that a service needs and that is the same in all of them.
//!
//! A service describes itself as a [`Service`]; the chassis gives it configuration, a database with
//! journal, outbox, inbox, tasks and idempotency ([`Tx`]), a bus, HTTP with authentication and problem
//! documents, a client for its siblings, jobs, health, metrics and an orderly end.
//!
//! It knows nothing of the business: it must never depend on `quenty-contracts`.

pub mod access;
pub mod app;
pub mod bound_process;
pub mod bus;
pub mod checkpoints;
pub mod client;
mod consul;
pub mod db;
pub mod discovery;
pub mod embedded_postgres;
pub mod erasure;
pub mod error;
mod gauges;
pub mod http;
pub mod idempotency;
pub mod inbox;
pub mod journal;
pub mod lifecycle;
pub mod live;
pub mod operate;
pub mod otlp;
pub mod outbox;
mod pace;
pub mod redis;
mod replica;
pub mod revocations;
pub mod row;
pub mod service;
pub mod settings;
pub mod shared_settings;
pub mod span;
pub mod tasks;
pub mod telemetry;
pub mod time_left;
pub mod tls;
pub mod token;
pub mod trace;
pub mod trail;
pub mod tx;

pub use app::App;
pub use error::Error;
pub use inbox::Received;
pub use service::{Reaction, Service};
pub use tx::Tx;

/// The result of everything that may fail at the edge of a service.
pub type Result<T, E = Error> = std::result::Result<T, E>;
