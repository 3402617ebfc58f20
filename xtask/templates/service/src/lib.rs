//! {about}

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
        name: "{name}",
        about: "{about}",
        port: {port},
        database: "{database}",
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
