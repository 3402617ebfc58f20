//! Order owns what merchants sell and hold, and every order from the click to the door.

mod commands;
mod domain;
mod error;
mod events;
mod http;
mod jobs;
mod store;
mod tasks;

use quenty_platform::{Service, settings::Setting};
use sqlx::migrate::Migrator;

pub use error::Error;

pub static MIGRATIONS: Migrator = sqlx::migrate!();

/// What an import takes, and what it assumes of a product that the catalogue does not have.
const SETTINGS: &[Setting] = &[
    Setting::new("import_max_bytes", "a larger file of orders gets 413").default("268435456"),
    Setting::new("import_weight_grams", "weight of a product that an import makes of an unknown SKU")
        .default("500"),
    Setting::new("import_length_mm", "its length").default("200"),
    Setting::new("import_width_mm", "its width").default("150"),
    Setting::new("import_height_mm", "its height").default("100"),
];

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
        settings: SETTINGS,
        reactions: events::reactions(),
        tasks: tasks::tasks(),
        jobs: jobs::jobs(),
        invariants: store::invariants::INVARIANTS,
        init: None,
    }
}
