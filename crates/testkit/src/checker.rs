//! The independent checker: reads all databases after a story and says whether it can be trusted.
//!
//! It shares no code with the services or the chassis, only the table definitions and the promises: its own
//! SQL, its own hashing. What it calls sound was checked twice.

mod chain;
mod delivery;
mod folds;
mod orders;
mod returns;
mod stock;

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use sqlx::{PgPool, Row, postgres::PgPoolOptions};

/// The databases of a platform, by the services' names on the bus.
pub struct Checker {
    databases: BTreeMap<String, PgPool>,
    /// Which service hears which event types.
    hears: Vec<(String, Vec<String>)>,
}

/// What the checker found and how much it looked at.
#[derive(Debug, Default, Clone)]
pub struct Report {
    pub findings: Vec<String>,
    /// Entries of all journals.
    pub facts: u64,
    /// Deliveries that were due: published facts times their listeners.
    pub deliveries: u64,
    pub stock_items: u64,
    pub orders: u64,
    /// How many orders stand in which status.
    pub orders_by_status: BTreeMap<String, u64>,
}

impl Report {
    pub(crate) fn find(&mut self, what: impl Into<String>) {
        self.findings.push(what.into());
    }

    /// Panics, listing what was found, unless everything is sound.
    #[track_caller]
    pub fn assert_sound(&self) {
        assert!(self.findings.is_empty(), "the checker found:\n  {}", self.findings.join("\n  "));
    }
}

impl Checker {
    /// Connects to the databases, each given as (service, URL).
    ///
    /// # Errors
    /// When one cannot be reached.
    pub async fn connect(
        urls: impl IntoIterator<Item = (String, String)>,
        hears: Vec<(String, Vec<String>)>,
    ) -> Result<Self> {
        let mut databases = BTreeMap::new();
        for (service, url) in urls {
            let pool = PgPoolOptions::new()
                .max_connections(2)
                .connect(&url)
                .await
                .with_context(|| format!("the database of {service}"))?;
            databases.insert(service, pool);
        }
        Ok(Self { databases, hears })
    }

    /// Checks everything; the platform must have come to rest.
    ///
    /// # Errors
    /// When a database cannot be read.
    pub async fn check(&self) -> Result<Report> {
        let mut report = Report::default();
        for (service, db) in &self.databases {
            chain::check(service, db, &mut report).await?;
            delivery::check_leftovers(service, db, &mut report).await?;
            delivery::check_doubles(service, db, &mut report).await?;
            delivery::check_order(service, db, &mut report).await?;
        }
        for (listener, types) in &self.hears {
            if let Some(inbox) = self.databases.get(listener) {
                for (publisher, journal) in &self.databases {
                    delivery::check_losses(publisher, journal, listener, inbox, types, &mut report).await?;
                }
            }
        }
        if let Some(order) = self.databases.get("order") {
            stock::check(order, &mut report).await?;
            orders::check(order, &mut report).await?;
        }
        for aggregate in &folds::AGGREGATES {
            if let Some(db) = self.databases.get(aggregate.service) {
                folds::check(aggregate, db, &mut report).await?;
            }
        }
        let (order, pickup, shipping) =
            (self.databases.get("order"), self.databases.get("pickup"), self.databases.get("shipping"));
        if let (Some(order), Some(pickup), Some(shipping)) = (order, pickup, shipping) {
            orders::check_agreement(order, pickup, shipping, &mut report).await?;
            orders::check_cash(order, shipping, &mut report).await?;
        }
        if let Some(returns) = self.databases.get("returns") {
            returns::check(returns, &mut report).await?;
            if let (Some(order), Some(pickup)) = (order, pickup) {
                returns::check_agreement(returns, order, pickup, &mut report).await?;
            }
        }
        Ok(report)
    }
}

/// The `amount` of each `id`.
async fn amounts(db: &PgPool, sql: &'static str) -> Result<BTreeMap<String, String>> {
    let rows = sqlx::query(sql).fetch_all(db).await?;
    Ok(rows.into_iter().map(|row| (row.get("id"), row.get("amount"))).collect())
}
