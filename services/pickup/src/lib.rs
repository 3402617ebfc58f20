//! Pickup collects parcels: it knows where and when somebody can come, promises a window, sends a driver
//! and keeps the proof of the hand-over.
//!
//! Its words: a **service area** has opening hours, cut into **slots** with a capacity; a **hold** keeps a place
//! in a slot for ten minutes; a **pickup** holds a place and promises a **window**; a **stop** is a pickup as its
//! driver sees it. (The delivery at the consignee's door is Shipping's.) Which company may book one is Customer's to say.

mod commands;
mod domain;
mod error;
mod events;
mod http;
mod store;
mod tasks;

use quenty_platform::Service;
use sqlx::migrate::Migrator;

pub use error::Error;

pub static MIGRATIONS: Migrator = sqlx::migrate!();

/// The service as the chassis runs it.
#[must_use]
pub fn service() -> Service {
    Service {
        name: "pickup",
        about: "Service areas with slots, drivers, and every pickup from its slot to the hand-over.",
        port: 8005,
        database: "pickup_db",
        migrations: &MIGRATIONS,
        routes: http::routes,
        settings: &[],
        reactions: events::reactions(),
        tasks: tasks::kinds(),
        jobs: vec![],
        invariants: store::invariants::INVARIANTS,
        init: None,
    }
}
