//! Works through an imported file, one short transaction per order, with constant memory. A worker that takes
//! over after a crash goes on after the last order that was counted.

use std::time::{Duration, Instant};

use quenty_kernel::{
    Actor, Failure, Kind, Scope,
    id::{CompanyId, CustomerId, ImportId},
    measure::{Dimensions, Grams, Millimeters},
};
use quenty_platform::{App, Tx, client::CallError, settings::SettingsError, tasks::Claimed, tx::Cause};
use serde::{Deserialize, Serialize};

use super::import_file::{ReadOrder, Reading};
use crate::{
    Error,
    commands::{self, Estimate, Importing},
    domain::{
        import::{Assumption, Assumptions, ImportedOrder, RowError},
        placing::PlacingError,
        product::ProductError,
        standing::KnownStanding,
    },
    http::known_standing,
    store::imports::{self, Outcome, Progress},
};

/// Between the tries of one order, as multiples of `retry_pause_ms`: what is away for a moment should not send the whole
/// file back to the queue.
const PAUSES: [f64; 4] = [0.25, 1.0, 3.0, 6.0];

/// The chassis gives a task up after so many tries; before it does, the import ends with its reason.
const TRIES: i32 = 8;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ImportOrders {
    pub(crate) import_id: ImportId,
    /// Orders that were finished when this task was made.
    #[serde(default)]
    pub(crate) from: i64,
}

/// What a task made of the file.
enum Worked {
    /// All that it could: to its end, or why the file as a whole cannot be taken.
    Through(Option<String>),
    /// Its share of the orders.
    LongEnough,
}

/// Tries run out only while nothing goes on: a task that has finished orders hands the rest on to a fresh one, when it
/// is tried again or has worked long enough.
pub(super) async fn import_orders(app: App, task: Claimed<ImportOrders>) -> Result<(), Error> {
    let id = task.payload.import_id;
    let Some(progress) = running(&app, id).await? else { return Ok(()) };
    if progress.processed > task.payload.from {
        return hand_on(&app, &task, &progress).await;
    }
    let failure = match work_through(&app, &progress).await {
        Ok(Worked::Through(failure)) => failure,
        Ok(Worked::LongEnough) => {
            let Some(progress) = running(&app, id).await? else { return Ok(()) };
            return hand_on(&app, &task, &progress).await;
        }
        Err(error) => {
            let Some(progress) = running(&app, id).await? else { return Ok(()) };
            if progress.processed > task.payload.from {
                return hand_on(&app, &task, &progress).await;
            }
            if task.attempts < TRIES {
                return Err(error);
            }
            Some(format!("given up after {TRIES} tries and {} orders: {error}", progress.processed))
        }
    };
    let mut tx = task.begin(&app).await?;
    let now = tx.now();
    imports::finish(tx.conn(), id, failure.as_deref(), now).await?;
    Ok(tx.commit().await?)
}

async fn running(app: &App, id: ImportId) -> Result<Option<Progress>, Error> {
    let progress = imports::find(app.db(), Scope::All, id).await?;
    Ok(progress.filter(|progress| progress.status == "running"))
}

async fn hand_on(app: &App, task: &Claimed<ImportOrders>, progress: &Progress) -> Result<(), Error> {
    let (id, from) = (progress.id, progress.processed);
    let mut tx = task.begin(app).await?;
    let next = ImportOrders { import_id: id, from };
    tx.enqueue(super::IMPORT_TASK, format!("{id}:{from}"), task.company_id, &next)?;
    Ok(tx.commit().await?)
}

/// One order at least, unless the file ends, and then no more once half of the time is over after which a try has failed.
async fn work_through(app: &App, progress: &Progress) -> Result<Worked, Error> {
    let begun = Instant::now();
    let limit = app.settings().parse::<u64>("task_timeout_ms").map_err(quenty_platform::Error::internal)?;
    let share = Duration::from_millis(limit) / 2;
    match known_standing(app, progress.options.company_id).await {
        Ok(_) => {}
        Err(quenty_platform::Error::Failure(failure)) if failure.kind.status() < 500 => {
            return Ok(Worked::Through(Some(failure.detail)));
        }
        Err(error) => return Err(error.into()),
    }
    let importing = Importing {
        company_id: progress.options.company_id,
        estimate: estimate(app).map_err(quenty_platform::Error::internal)?,
        assume_stock: progress.options.assume_stock,
    };
    let mut reading = Reading::begin(app, progress.id);
    let mut number = 0;
    while let Some(order) = reading.orders.recv().await {
        number += 1;
        if number > progress.processed + 1 && begun.elapsed() > share {
            return Ok(Worked::LongEnough);
        }
        if number > progress.processed {
            take_patiently(app, &importing, progress, number, &order).await?;
        }
    }
    reading.end().await.map(Worked::Through)
}

async fn take_patiently(
    app: &App,
    importing: &Importing,
    progress: &Progress,
    number: i64,
    order: &ReadOrder,
) -> Result<(), Error> {
    let first: u64 = app.settings().parse("retry_pause_ms").map_err(quenty_platform::Error::internal)?;
    let mut pauses = PAUSES.iter();
    loop {
        if app.stopping().is_cancelled() {
            return Err(Failure::new(
                Kind::Unavailable,
                "STOPPING",
                "the service stops; the import goes on after the order that was counted last",
            )
            .into());
        }
        let Err(error) = take(app, importing, progress, number, order.clone()).await else { return Ok(()) };
        let Some(pause) = pauses.next() else { return Err(error) };
        tracing::warn!(import = %progress.id, number, %error, "an order of an import is tried again");
        tokio::select! {
            () = app.stopping().cancelled() => {}
            () = tokio::time::sleep(Duration::from_millis(first).mul_f64(*pause)) => {}
        }
    }
}

/// Takes one order of the file: whatever becomes of it is counted with it, once.
async fn take(
    app: &App,
    importing: &Importing,
    progress: &Progress,
    number: i64,
    order: ReadOrder,
) -> Result<(), Error> {
    let mut imported = match order {
        Ok(imported) => imported,
        Err(error) => return reject(app, progress, number, &error).await,
    };
    let line = imported.line;
    match place(app, importing, progress, number, &mut imported).await {
        Ok(()) => Ok(()),
        Err(Error::Placing(PlacingError::ReferenceTaken(_))) => {
            count(app, progress, number, Outcome::AlreadyThere, &Assumptions::default()).await
        }
        // Somebody made the product since we looked: the next try finds it.
        Err(error @ Error::Product(ProductError::SkuTaken)) => Err(error),
        Err(error) => {
            let error = quenty_platform::Error::from(error);
            let failure = error.to_failure();
            if failure.kind.status() >= 500 {
                return Err(error.into());
            }
            reject(app, progress, number, &RowError::refused(line, &failure)).await
        }
    }
}

async fn place(
    app: &App,
    importing: &Importing,
    progress: &Progress,
    number: i64,
    imported: &mut ImportedOrder,
) -> Result<(), Error> {
    let company = importing.company_id;
    // A file takes its time: a company that is suspended meanwhile orders nothing more.
    let standing = known_standing(app, company).await?;
    let reference = imported.reference.as_str();
    if let Some(id) = crate::store::orders::id_of_reference(app.db(), company, reference).await? {
        return Err(PlacingError::ReferenceTaken(id).into());
    }
    if progress.options.dry_run {
        return try_out(app, importing, standing, progress, number, imported).await;
    }
    if imported.consignee.email.is_some() {
        // Nobody becomes a customer by an order that is refused.
        check(app, importing, standing.clone(), progress, imported).await?;
    }
    let customer = customer(app, company, imported).await?;
    let mut tx = begin(app, progress).await?;
    commands::import_order(&mut tx, importing, standing, customer, imported).await?;
    let now = tx.now();
    if imports::count(tx.conn(), progress.id, number, Outcome::Created, &imported.assumptions, now).await? {
        tx.commit().await?;
    }
    Ok(())
}

/// Refuses what [`place`] would. Only who may not ship abroad needs to know from where the goods come.
async fn check(
    app: &App,
    importing: &Importing,
    standing: KnownStanding,
    progress: &Progress,
    imported: &ImportedOrder,
) -> Result<(), Error> {
    if standing.check(true).is_ok() {
        let mut db = app.db().acquire().await.map_err(quenty_platform::Error::from)?;
        return commands::check_import(&mut db, importing, standing, imported, app.clock().now()).await;
    }
    let mut tx = begin(app, progress).await?;
    commands::try_import_order(&mut tx, importing, standing, &mut imported.clone()).await?;
    Ok(())
}

/// As [`place`], in a transaction that is let go.
async fn try_out(
    app: &App,
    importing: &Importing,
    standing: KnownStanding,
    progress: &Progress,
    number: i64,
    imported: &mut ImportedOrder,
) -> Result<(), Error> {
    let mut tx = begin(app, progress).await?;
    let estimated = commands::try_import_order(&mut tx, importing, standing, imported).await?;
    drop(tx);
    let skus: Vec<String> = estimated.iter().map(|sku| sku.as_str().to_owned()).collect();
    let mut tx = begin(app, progress).await?;
    let now = tx.now();
    let new = imports::note_estimates(tx.conn(), progress.id, &skus).await?;
    imported.assumptions.set(Assumption::ProductEstimated, new);
    if imports::count(tx.conn(), progress.id, number, Outcome::Created, &imported.assumptions, now).await? {
        tx.commit().await?;
    }
    Ok(())
}

/// Whoever brought the file in does what it says.
async fn begin(app: &App, progress: &Progress) -> Result<Tx, Error> {
    let actor = progress.created_by.parse().unwrap_or(Actor::System);
    Ok(app.begin_as(Cause { actor, ..Cause::system() }).await?)
}

async fn count(
    app: &App,
    progress: &Progress,
    number: i64,
    outcome: Outcome,
    assumed: &Assumptions,
) -> Result<(), Error> {
    let mut tx = begin(app, progress).await?;
    let now = tx.now();
    imports::count(tx.conn(), progress.id, number, outcome, assumed, now).await?;
    Ok(tx.commit().await?)
}

async fn reject(app: &App, progress: &Progress, number: i64, error: &RowError) -> Result<(), Error> {
    let mut tx = begin(app, progress).await?;
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

/// The buyer as a customer; without an e-mail address nobody could be told apart, so there is none. What Customer
/// says against the data is said of the row; anything else is none of the row's fault.
async fn customer(
    app: &App,
    company: CompanyId,
    imported: &ImportedOrder,
) -> Result<Option<CustomerId>, Error> {
    let party = &imported.consignee;
    let Some(email) = &party.email else { return Ok(None) };
    let body = serde_json::json!({"company_id": company, "name": party.name, "email": email, "phone": party.phone, "address": party.address});
    match app.client().post::<CustomerRef>("customer", "/internal/customers/upsert", &body).await {
        Ok(found) => Ok(Some(found.customer_id)),
        Err(CallError::Refused { status: 400 | 422, code: Some(_), problem, .. }) => {
            Err(Failure::invalid("CUSTOMER_REFUSED", "/Email", problem).into())
        }
        Err(error) => Err(quenty_platform::Error::from(error).into()),
    }
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
