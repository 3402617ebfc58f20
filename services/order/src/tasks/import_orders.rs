//! Works through an imported file, one short transaction per order, with constant memory. A worker that takes
//! over after a crash goes on after the last order that was counted.

use std::io::Read;

use quenty_contracts::party::Party;
use quenty_kernel::{
    Scope,
    id::{CompanyId, CustomerId, ImportId},
    measure::{Dimensions, Grams, Millimeters},
};
use quenty_platform::{App, settings::SettingsError, tasks::Claimed, tx::Cause};
use serde::{Deserialize, Serialize};
use tokio::{runtime::Handle, sync::mpsc};

use crate::{
    Error,
    commands::{self, Estimate, Importing},
    domain::import::{
        Assumptions, ImportedOrder, RowError,
        shopify::{Columns, Grouper, Row},
    },
    http::known_standing,
    store::imports::{self, Outcome, Progress},
};

/// Orders that are read ahead.
const READ_AHEAD: usize = 16;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ImportOrders {
    pub(crate) import_id: ImportId,
}

pub(super) async fn import_orders(app: App, task: Claimed<ImportOrders>) -> Result<(), Error> {
    let id = task.payload.import_id;
    let Some(progress) =
        imports::find(app.db(), Scope::All, id).await?.filter(|progress| progress.status == "running")
    else {
        return Ok(());
    };
    let failure = work_through(&app, &progress).await?;
    let mut tx = task.begin(&app).await?;
    let now = tx.now();
    imports::finish(tx.conn(), id, failure.as_deref(), now).await?;
    Ok(tx.commit().await?)
}

/// Returns why the file as a whole cannot be read, if it cannot.
async fn work_through(app: &App, progress: &Progress) -> Result<Option<String>, Error> {
    let importing = Importing {
        company_id: progress.options.company_id,
        standing: known_standing(app, progress.options.company_id).await?,
        estimate: estimate(app).map_err(quenty_platform::Error::internal)?,
        assume_stock: progress.options.assume_stock,
    };
    let (sender, mut orders) = mpsc::channel(READ_AHEAD);
    let file = PartReader {
        app: app.clone(),
        id: progress.id,
        next: 0,
        part: Vec::new(),
        at: 0,
        runtime: Handle::current(),
    };
    let reading = tokio::task::spawn_blocking(move || read(file, &sender));
    let mut number = 0;
    while let Some(order) = orders.recv().await {
        number += 1;
        if number > progress.processed {
            take(app, &importing, progress, number, order).await?;
        }
    }
    reading.await.map_err(quenty_platform::Error::internal)?
}

/// Takes one order of the file: whatever becomes of it is counted with it, once.
async fn take(
    app: &App,
    importing: &Importing,
    progress: &Progress,
    number: i64,
    order: Result<ImportedOrder, RowError>,
) -> Result<(), Error> {
    let mut imported = match order {
        Ok(imported) => imported,
        Err(error) => return reject(app, progress, number, &error).await,
    };
    let company = importing.company_id;
    if crate::store::orders::id_of_reference(app.db(), company, imported.reference.as_str()).await?.is_some()
    {
        return count(app, progress, number, Outcome::AlreadyThere, &Assumptions::default()).await;
    }
    let customer =
        if progress.options.dry_run { None } else { customer(app, company, &imported.consignee).await? };
    let mut tx = app.begin_as(Cause::system()).await?;
    match commands::import_order(&mut tx, importing, customer, &mut imported).await {
        Ok(()) if progress.options.dry_run => {
            drop(tx);
            count(app, progress, number, Outcome::Created, &imported.assumptions).await
        }
        Ok(()) => {
            let now = tx.now();
            if imports::count(tx.conn(), progress.id, number, Outcome::Created, &imported.assumptions, now)
                .await?
            {
                tx.commit().await?;
            }
            Ok(())
        }
        Err(error) => {
            drop(tx);
            match quenty_platform::Error::from(error) {
                quenty_platform::Error::Failure(failure) if failure.kind.status() < 500 => {
                    reject(app, progress, number, &RowError::refused(imported.line, &failure)).await
                }
                other => Err(other.into()),
            }
        }
    }
}

async fn count(
    app: &App,
    progress: &Progress,
    number: i64,
    outcome: Outcome,
    assumed: &Assumptions,
) -> Result<(), Error> {
    let mut tx = app.begin_as(Cause::system()).await?;
    let now = tx.now();
    imports::count(tx.conn(), progress.id, number, outcome, assumed, now).await?;
    Ok(tx.commit().await?)
}

async fn reject(app: &App, progress: &Progress, number: i64, error: &RowError) -> Result<(), Error> {
    let mut tx = app.begin_as(Cause::system()).await?;
    let now = tx.now();
    if imports::count(tx.conn(), progress.id, number, Outcome::Rejected, &Assumptions::default(), now).await?
    {
        imports::note_error(tx.conn(), progress.id, error).await?;
    }
    Ok(tx.commit().await?)
}

#[derive(Deserialize)]
struct CustomerRef {
    customer_id: CustomerId,
}

/// The buyer as a customer; without an e-mail address nobody could be told apart, so there is none.
async fn customer(app: &App, company: CompanyId, party: &Party) -> Result<Option<CustomerId>, Error> {
    let Some(email) = &party.email else { return Ok(None) };
    let body = serde_json::json!({"company_id": company, "name": party.name, "email": email, "phone": party.phone, "address": party.address});
    let found: CustomerRef = app
        .client()
        .post("customer", "/internal/customers/upsert", &body)
        .await
        .map_err(quenty_platform::Error::from)?;
    Ok(Some(found.customer_id))
}

fn estimate(app: &App) -> Result<Estimate, SettingsError> {
    let length =
        |key| app.settings().parse::<u32>(key).map(|mm| Millimeters::new(mm).unwrap_or(Millimeters::MIN));
    let grams = app.settings().parse::<u32>("import_weight_grams")?;
    Ok(Estimate {
        weight: Grams::new(grams).unwrap_or(Grams::MIN),
        dimensions: Dimensions::new(
            length("import_length_mm")?,
            length("import_width_mm")?,
            length("import_height_mm")?,
        ),
    })
}

/// Reads the file on a thread of its own: the CSV reader waits for the database like for a disk.
fn read(
    file: PartReader,
    orders: &mpsc::Sender<Result<ImportedOrder, RowError>>,
) -> Result<Option<String>, Error> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file);
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => return unreadable(error),
    };
    let mut grouper = match Columns::read(header.iter()) {
        Ok(columns) => Grouper::new(columns),
        Err(missing) => return Ok(Some(missing.to_string())),
    };
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => return unreadable(error),
        };
        let line = record.position().map_or(0, csv::Position::line);
        let row = Row { line, cells: record.iter().map(str::to_owned).collect() };
        if let Some(order) = grouper.push(row)
            && orders.blocking_send(order).is_err()
        {
            return Ok(None);
        }
    }
    if let Some(order) = grouper.finish() {
        // The receiver is gone only when the work has failed already.
        drop(orders.blocking_send(order));
    }
    Ok(None)
}

/// A damaged file fails the import; a database that is away lets the task try again.
fn unreadable(error: csv::Error) -> Result<Option<String>, Error> {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => Err(quenty_platform::Error::internal(error).into()),
        csv::ErrorKind::Utf8 { pos, .. } => {
            Ok(Some(format!("line {} is not UTF-8: save the file as UTF-8", pos.map_or(0, |pos| pos.line()))))
        }
        other => Ok(Some(format!("the file is not CSV: {other:?}"))),
    }
}

/// The pieces of the file as one.
struct PartReader {
    app: App,
    id: ImportId,
    next: i32,
    part: Vec<u8>,
    at: usize,
    runtime: Handle,
}

impl Read for PartReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.part.len() {
            let part = self
                .runtime
                .block_on(imports::part(self.app.db(), self.id, self.next))
                .map_err(std::io::Error::other)?;
            let Some(part) = part else { return Ok(0) };
            self.next += 1;
            self.part = part;
            self.at = 0;
        }
        let count = buffer.len().min(self.part.len() - self.at);
        buffer[..count].copy_from_slice(&self.part[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
