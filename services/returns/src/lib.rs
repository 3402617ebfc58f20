//! Reverse logistics: brings goods back, finds out what they are worth, and puts them where they are worth most.
//!
//! Its words: a **return** is asked for by line of a delivered order, approved by the rules of the company's **policy**
//! or by a person, and brought back by its **way back** (a driver, a label, or the buyer). Each received **unit** is
//! inspected and ends in exactly one **disposition**; the **settlement** is the refund or the replacement.
//! Which orders were delivered is Order's to say, and stock is kept there; drivers are Pickup's, labels Shipping's.

mod commands;
mod domain;
mod error;
mod events;
mod http;
mod parts;
mod store;
mod tasks;

use quenty_platform::{
    Service,
    app::Parts,
    settings::{self, Setting, Settings},
};
use sqlx::migrate::Migrator;

pub use error::Error;

pub static MIGRATIONS: Migrator = sqlx::migrate!();

/// What the ways out to people, files and money are configured by.
const SETTINGS: &[Setting] =
    &settings::joined::<COUNT>(&[quenty_mail::SETTINGS, quenty_files::SETTINGS, parts::SETTINGS]);
const COUNT: usize = quenty_mail::SETTINGS.len() + quenty_files::SETTINGS.len() + parts::SETTINGS.len();

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
        settings: SETTINGS,
        reactions: events::reactions(),
        tasks: tasks::kinds(),
        jobs: vec![],
        invariants: store::invariants::INVARIANTS,
        init: None,
    }
    .init(parts)
}

/// The ways out for the buyers' mails and money, and the place for pictures.
async fn parts(
    _: sqlx::PgPool,
    settings: Settings,
    _: quenty_kernel::Clock,
) -> quenty_platform::Result<Parts> {
    let files = quenty_files::Files::from_settings(&settings)?;
    let payouts = parts::Payouts::from_settings(&settings)?;
    Ok(Parts::default().with(quenty_mail::from_settings(&settings)?).with(files).with(payouts))
}
