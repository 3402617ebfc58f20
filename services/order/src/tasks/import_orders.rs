//! Works through an imported file, one short transaction per order, with constant memory. A worker that takes
//! over after a crash goes on after the last order that was counted.

use std::time::Duration;

use quenty_contracts::party::Party;
use quenty_kernel::{
    Failure, Kind, Scope,
    id::{CompanyId, CustomerId, ImportId},
    measure::{Dimensions, Grams, Millimeters},
};
use quenty_platform::{App, client::CallError, settings::SettingsError, tasks::Claimed, tx::Cause};
use serde::{Deserialize, Serialize};

use super::import_file::{ReadOrder, Reading};
use crate::{
    Error,
    commands::{self, Estimate, Importing},
    domain::{
        import::{Assumptions, RowError},
        placing::PlacingError,
        product::ProductError,
    },
    http::known_standing,
    store::imports::{self, Outcome, Progress},
};

/// Between the tries of one order: what is away for a moment should not send the whole file back to the queue.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(6)];

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ImportOrders {
    pub(crate) import_id: ImportId,
}

pub(super) async fn import_orders(app: App, task: Claimed<ImportOrders>) -> Result<(), Error> {
    let id = task.payload.import_id;
    let progress = imports::find(app.db(), Scope::All, id).await?;
    let Some(progress) = progress.filter(|progress| progress.status == "running") else { return Ok(()) };
    let failure = work_through(&app, &progress).await?;
    let mut tx = task.begin(&app).await?;
    let now = tx.now();
    imports::finish(tx.conn(), id, failure.as_deref(), now).await?;
    Ok(tx.commit().await?)
}

/// Returns why the file as a whole cannot be taken, if it cannot.
async fn work_through(app: &App, progress: &Progress) -> Result<Option<String>, Error> {
    let standing = match known_standing(app, progress.options.company_id).await {
        Ok(standing) => standing,
        Err(quenty_platform::Error::Failure(failure)) if failure.kind.status() < 500 => {
            return Ok(Some(failure.detail));
        }
        Err(error) => return Err(error.into()),
    };
    let importing = Importing {
        company_id: progress.options.company_id,
        standing,
        estimate: estimate(app).map_err(quenty_platform::Error::internal)?,
        assume_stock: progress.options.assume_stock,
    };
    let mut reading = Reading::begin(app, progress.id);
    let mut number = 0;
    while let Some(order) = reading.orders.recv().await {
        number += 1;
        if number > progress.processed {
            take_patiently(app, &importing, progress, number, &order).await?;
        }
    }
    reading.end().await
}

async fn take_patiently(
    app: &App,
    importing: &Importing,
    progress: &Progress,
    number: i64,
    order: &ReadOrder,
) -> Result<(), Error> {
    for pause in PAUSES {
        if app.stopping().is_cancelled() {
            return Err(Failure::new(
                Kind::Unavailable,
                "STOPPING",
                "the service stops; the import goes on after the order that was counted last",
            )
            .into());
        }
        match take(app, importing, progress, number, order.clone()).await {
            Ok(()) => return Ok(()),
            Err(error) => {
                tracing::warn!(import = %progress.id, number, %error, "an order of an import is tried again")
            }
        }
        tokio::time::sleep(pause).await;
    }
    take(app, importing, progress, number, order.clone()).await
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
    let company = importing.company_id;
    if crate::store::orders::id_of_reference(app.db(), company, imported.reference.as_str()).await?.is_some()
    {
        return count(app, progress, number, Outcome::AlreadyThere, &Assumptions::default()).await;
    }
    let customer = match customer(app, progress, &imported.consignee).await {
        Ok(customer) => customer,
        Err(CallError::Refused { status: 400..=499, problem, .. }) => {
            return reject(
                app,
                progress,
                number,
                &RowError::new(imported.line, "Email", "CUSTOMER_REFUSED", problem),
            )
            .await;
        }
        Err(error) => return Err(quenty_platform::Error::from(error).into()),
    };
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
        Err(Error::Placing(PlacingError::ReferenceTaken(_))) => {
            drop(tx);
            count(app, progress, number, Outcome::AlreadyThere, &Assumptions::default()).await
        }
        // Somebody made the product since we looked: the next try finds it.
        Err(error @ Error::Product(ProductError::SkuTaken)) => Err(error),
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
async fn customer(app: &App, progress: &Progress, party: &Party) -> Result<Option<CustomerId>, CallError> {
    let Some(email) = party.email.as_ref().filter(|_| !progress.options.dry_run) else { return Ok(None) };
    let company: CompanyId = progress.options.company_id;
    let body = serde_json::json!({"company_id": company, "name": party.name, "email": email, "phone": party.phone, "address": party.address});
    let found: CustomerRef = app.client().post("customer", "/internal/customers/upsert", &body).await?;
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
