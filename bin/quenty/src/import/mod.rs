//! Bringing a file of orders to a platform, through its public API: checked beforehand, streamed, followed to its
//! end, and reported with every assumption.

mod report;
mod warehouse;

use std::{fs::File, path::Path, time::Duration};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

pub use self::report::Report;
use crate::{
    demo::{api::Session, text},
    output::tell,
};

const POLL: Duration = Duration::from_millis(200);
/// An order is tried again for longer than this before its import is given up.
const PATIENCE: Duration = Duration::from_secs(300);

/// What becomes of orders whose goods are not on the shelf.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stock {
    /// An opening receipt covers what the file sold
    Assume,
    /// They wait until goods arrive
    Backorder,
}

/// Imports the file into the company of this session.
pub async fn orders(session: &Session, file: &Path, stock: Stock, dry_run: bool) -> Result<Report> {
    warehouse::check(session).await?;
    let expected = count_orders(file);
    let bar = progress_bar(expected);
    let stock = match stock {
        Stock::Assume => "assume",
        Stock::Backorder => "backorder",
    };
    bar.set_message("sending the file");
    let accepted = session
        .upload(&format!("/api/v1/orders/import?stock={stock}&dry_run={dry_run}"), "text/csv", file)
        .await?;
    let path = format!("/api/v1/imports/{}", text(&accepted, "id")?);
    bar.suspend(|| {
        tell!("the platform has the file: GET {path} tells how far it is, also once this command has ended")
    });
    let ended = follow(session, &path, &bar).await?;
    bar.finish_and_clear();
    let errors = session.get_bytes(&format!("{path}/errors")).await?;
    Report::of(&ended, &errors)
}

async fn follow(session: &Session, path: &str, bar: &ProgressBar) -> Result<Value> {
    let mut moved = (0, tokio::time::Instant::now());
    loop {
        let import = session.get(path).await?;
        let read = import["read"].as_u64().context("an import counts what it has read")?;
        bar.set_position(read);
        bar.set_message(format!(
            "{} created, {} there already, {} rejected",
            import["created"], import["already_there"], import["rejected"]
        ));
        if import["status"] != "running" {
            return Ok(import);
        }
        if read != moved.0 {
            moved = (read, tokio::time::Instant::now());
        }
        if moved.1.elapsed() > PATIENCE {
            bail!(
                "nothing has moved for {PATIENCE:?} ({path}): `quenty dead-letters` shows why; the same file sent again goes on where it stopped"
            );
        }
        tokio::time::sleep(POLL).await;
    }
}

/// How many orders the file has, for the bar only; a file that we cannot read is the platform's to judge.
fn count_orders(file: &Path) -> Option<u64> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(File::open(file).ok()?);
    let name = reader.byte_headers().ok()?.iter().position(|column| column == b"Name")?;
    let (mut record, mut last, mut orders) = (csv::ByteRecord::new(), Vec::new(), 0);
    while reader.read_byte_record(&mut record).ok()? {
        let this = record.get(name).unwrap_or_default();
        if this != last.as_slice() {
            orders += 1;
            last = this.to_vec();
        }
    }
    Some(orders)
}

fn progress_bar(orders: Option<u64>) -> ProgressBar {
    let (bar, template) = match orders {
        Some(orders) => (ProgressBar::new(orders), "  {bar:40} {pos:>6}/{len} orders  {msg}"),
        None => (ProgressBar::new_spinner(), "  {spinner} {pos} orders  {msg}"),
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style)
}
