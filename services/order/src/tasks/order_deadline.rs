use quenty_platform::{App, tasks::Claimed};

use crate::{
    Error,
    commands::{self, Deadline},
};

/// A saga waited until now; whether it still does, the order decides.
pub(super) async fn order_deadline(app: App, task: Claimed<Deadline>) -> Result<(), Error> {
    let mut tx = task.begin(&app).await?;
    commands::expire_order(&mut tx, task.payload).await?;
    Ok(tx.commit().await?)
}
