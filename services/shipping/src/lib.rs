//! Shipping: what a parcel costs, who carries it, where it is, and that it arrived.
//!
//! Owns shipments with their labels and tracking, manifests, and the tariff: countries, zones, rate cards.
//! A **quote** is a signed offer; a **shipment** is booked from one and followed by the carrier's **scans** until it
//! is delivered with proof; a **manifest** lists what leaves a country on a day. Our own carrier is `QTY`.
//! Who may send abroad is Customer's to say, which order is cancelled Order's, and when parcels are collected Pickup's.

mod commands;
mod domain;
mod error;
mod events;
mod http;
mod jobs;
mod parts;
mod store;
mod tasks;

use quenty_platform::{Service, service::TaskKind, settings::Setting};
use sqlx::migrate::Migrator;

pub use error::Error;

pub static MIGRATIONS: Migrator = sqlx::migrate!();

const SETTINGS: &[Setting] = &[
    Setting::new(
        "quote_signing_key",
        "signs quotes, the same in every replica; derived from `client_secret` when absent",
    )
    .secret(),
    Setting::new("tracking_page_url", "what the QR code of a label opens, before the tracking number")
        .default("http://127.0.0.1:8000/api/v1/tracking"),
];

/// The service, as the chassis runs it.
#[must_use]
pub fn service() -> Service {
    Service {
        name: "shipping",
        about: "Quotes, books, labels and follows shipments, at home and across borders.",
        port: 8004,
        database: "intl_shipping_db",
        migrations: &MIGRATIONS,
        routes: http::routes,
        settings: SETTINGS,
        reactions: events::reactions(),
        tasks: vec![TaskKind::new(tasks::DECIDE_BOOKING, tasks::decide_booking)],
        jobs: jobs::jobs(),
        invariants: store::invariants::INVARIANTS,
        init: None,
    }
    .init(parts::make)
}
