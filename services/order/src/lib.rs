//! Order owns what merchants sell and hold, and every order from the click to the door.

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
        name: "order",
        about: "Products, warehouses, stock and orders of the merchants, and what brings each order to its door.",
        port: 8002,
        database: "order_db",
        migrations: &MIGRATIONS,
        routes: http::routes,
        settings: &[],
        reactions: events::reactions(),
        tasks: vec![],
        jobs: vec![],
        invariants: &[],
        init: None,
    }
}
