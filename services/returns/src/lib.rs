//! Brings goods back, finds out what they are worth, and puts them where they are worth most.

mod commands;
mod domain;
mod error;
mod events;
mod http;
mod store;

use quenty_platform::Service;
use sqlx::migrate::Migrator;

pub use error::Error;

pub static MIGRATIONS: Migrator = sqlx::migrate!();

/// The service as the chassis runs it.
#[must_use]
pub fn service() -> Service {
    Service {
        name: "returns",
        about: "Brings goods back, finds out what they are worth, and puts them where they are worth most.",
        port: 8007,
        database: "reverse_logistics_db",
        migrations: &MIGRATIONS,
        routes: http::routes,
        settings: &[],
        reactions: events::reactions(),
        tasks: vec![],
        jobs: vec![],
        invariants: store::invariants::INVARIANTS,
        init: None,
    }
}
