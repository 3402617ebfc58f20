//! Periodic work: erasures that waited for what was sent to the person by hand. Nothing else starts them, so that none is
//! missed, whatever process or version ended the shipment.

use std::time::Duration;

use jiff::SignedDuration;
use quenty_contracts::customer::ErasureRequested;
use quenty_kernel::id::ShipmentId;
use quenty_platform::{App, Result, service::Job, tx::Cause};

use crate::{commands, store};

const HOURLY: Duration = Duration::from_secs(3600);
/// A parcel that nobody ever hands over does not end by itself: somebody has to be told.
const LONG: SignedDuration = SignedDuration::from_hours(7 * 24);

pub(crate) fn jobs() -> Vec<Job> {
    vec![Job::new("go-on-erasing", HOURLY, go_on_erasing)]
}

async fn go_on_erasing(app: App) -> Result<()> {
    let long_ago = app.clock().now() - LONG;
    let mut told = false;
    let mut outcome = Ok(());
    for (asked, since) in store::erasures::list_pending(app.db()).await? {
        let request = asked.request_id;
        match erase_at_last(&app, &asked).await {
            // The oldest one stands for all.
            Ok(under_way) if !under_way.is_empty() && since <= long_ago && !told => {
                told = true;
                let shipments: Vec<_> = under_way.iter().map(ShipmentId::to_string).collect();
                let shipments = shipments.join(" ");
                tracing::warn!(%request, %since, shipments, "an erasure waits for shipments that were made by hand");
            }
            Ok(_) => {}
            // The others go on all the same.
            Err(error) => {
                tracing::warn!(%request, %since, %error, "an erasure that waited could not go on; it is tried again");
                outcome = Err(error);
            }
        }
    }
    outcome
}

async fn erase_at_last(app: &App, asked: &ErasureRequested) -> Result<Vec<ShipmentId>> {
    let mut tx = app.begin_as(Cause::system()).await?;
    let under_way = commands::erase_at_last(&mut tx, asked).await?;
    tx.commit().await?;
    Ok(under_way)
}
