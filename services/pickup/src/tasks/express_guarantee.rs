//! The hour of an express pickup is over, and the time in which its driver may report late.

use quenty_platform::{App, tasks::Claimed};

use crate::{Error, commands, commands::create_pickup::ExpressGuarantee};

pub(super) async fn express_guarantee(app: App, task: Claimed<ExpressGuarantee>) -> Result<(), Error> {
    let mut tx = task.begin(&app).await?;
    commands::miss_express(&mut tx, task.payload.pickup_id).await?;
    tx.commit().await?;
    Ok(())
}
