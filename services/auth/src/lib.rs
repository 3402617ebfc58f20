//! Auth owns identities and what they may do: users, passwords, sessions, roles, signing keys.
//!
//! Nobody else stores a password or signs a token, and nobody needs Auth to check one: its public keys are
//! enough. Companies and their members are Customer's; here is only a projection of them, for the tokens.

mod commands;
mod domain;
mod error;
mod events;
mod http;
mod jobs;
mod parts;
mod store;
mod tasks;

use quenty_platform::Service;
use sqlx::migrate::Migrator;

pub use domain::role::{SERVICES, permissions_markdown};
pub use parts::clients::SHORTEST_SECRET;

pub static MIGRATIONS: Migrator = sqlx::migrate!();

#[must_use]
pub fn service() -> Service {
    Service {
        name: "auth",
        about: "Identities and what they may do: registration, login, sessions, roles, signing keys.",
        port: 8009,
        database: "auth_db",
        migrations: &MIGRATIONS,
        routes: http::routes,
        settings: parts::SETTINGS,
        reactions: events::reactions(),
        tasks: tasks::tasks(),
        jobs: jobs::jobs(),
        init: None,
        invariants: &[],
    }
    .init(parts::init)
}
