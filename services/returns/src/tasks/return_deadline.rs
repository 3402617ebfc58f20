//! A saga waited until now; whether it still does, the return decides.

use quenty_platform::{App, tasks::Claimed};

use crate::{
    Error,
    commands::{self, DueReturn},
};

pub(super) async fn return_deadline(app: App, task: Claimed<DueReturn>) -> Result<(), Error> {
    let mut tx = task.begin(&app).await?;
    commands::expire_return(&mut tx, task.payload).await?;
    Ok(tx.commit().await?)
}
