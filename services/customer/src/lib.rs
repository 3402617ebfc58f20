//! Customer owns who our clients are and whom they sell to: companies with their onboarding and standing, the
//! members in them, the profiles of all users, and the companies' customers. Auth owns credentials.

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
        name: "customer",
        about: "Companies and their onboarding, the people in them, and the customers they sell to.",
        port: 8001,
        database: "customer_db",
        migrations: &MIGRATIONS,
        routes: http::routes,
        settings: &[],
        reactions: events::reactions(),
        tasks: vec![],
        jobs: vec![],
        init: None,
        invariants: store::invariants::INVARIANTS,
    }
}
