//! Periodic work: letting go of what never came to its end, and telling what only the calendar brings about.

use std::time::Duration;

use jiff::{SignedDuration, tz::TimeZone};
use quenty_kernel::id::{CompanyId, ProductId};
use quenty_platform::{App, Result, service::Job, tx::Cause};

use crate::{
    commands,
    store::{imports, stock},
};

/// Long after any upload has ended.
const UPLOADS_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// So far ahead of UTC is the first place where a day begins.
const FIRST_DAYBREAK: SignedDuration = SignedDuration::from_hours(14);

const HOURLY: Duration = Duration::from_secs(3600);

pub(crate) fn jobs() -> Vec<Job> {
    vec![
        Job::new("forget-broken-uploads", HOURLY, forget_broken_uploads),
        Job::new("tell-expired", HOURLY, tell_expired),
    ]
}

/// Uploads whose sender or whose process went away have nobody else to let them go.
async fn forget_broken_uploads(app: App) -> Result<()> {
    let gone = imports::forget_broken_uploads(app.db(), app.clock().now() - UPLOADS_KEPT).await?;
    if gone > 0 {
        tracing::info!(gone, "uploads that broke off were let go");
    }
    Ok(())
}

/// At midnight nobody posts a movement, but what expires is no more for sale. Each company's own day decides.
pub(crate) async fn tell_expired(app: App) -> Result<()> {
    let latest = (app.clock().now() + FIRST_DAYBREAK).to_zoned(TimeZone::UTC).date();
    let mut outcome = Ok(());
    for (company, product) in stock::perhaps_low(app.db(), latest).await? {
        // The others are told all the same.
        if let Err(error) = tell_expired_of(&app, company, product).await {
            tracing::error!(%company, %product, %error, "whether it fell low by what has expired could not be told");
            outcome = Err(error);
        }
    }
    outcome
}

async fn tell_expired_of(app: &App, company: CompanyId, product: ProductId) -> Result<()> {
    let mut tx = app.begin_as(Cause::system()).await?;
    commands::tell_expired(&mut tx, company, product).await?;
    tx.commit().await
}
