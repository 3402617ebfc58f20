//! Periodic work: letting go of what never came to its end.

use std::time::Duration;

use jiff::SignedDuration;
use quenty_platform::{App, Result, service::Job};

use crate::store::imports;

/// Long after any upload has ended.
const UPLOADS_KEPT: SignedDuration = SignedDuration::from_hours(24);

pub(crate) fn jobs() -> Vec<Job> {
    vec![Job::new("forget-broken-uploads", Duration::from_secs(3600), forget_broken_uploads)]
}

/// Uploads whose sender or whose process went away have nobody else to let them go.
async fn forget_broken_uploads(app: App) -> Result<()> {
    let gone = imports::forget_broken_uploads(app.db(), app.clock().now() - UPLOADS_KEPT).await?;
    if gone > 0 {
        tracing::info!(gone, "uploads that broke off were let go");
    }
    Ok(())
}
