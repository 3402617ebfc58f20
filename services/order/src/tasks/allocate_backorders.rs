use std::collections::BTreeSet;

use quenty_platform::{App, tasks::Claimed, tx::Cause};

use crate::{
    Error,
    commands::{self, StockArrived},
    store,
};

/// More waiting orders than this are served when the next stock arrives.
const AT_ONCE: i64 = 500;

/// Serves those who wait, the first who came first. Each order has its own transaction, so that orders and
/// stock are always locked in the same sequence.
pub(super) async fn allocate_backorders(app: App, task: Claimed<StockArrived>) -> Result<(), Error> {
    let company = task.payload.company_id;
    let mut promised = BTreeSet::new();
    for id in store::orders::backordered(app.db(), company, AT_ONCE).await? {
        let mut tx = app.begin_as(Cause::system()).await?;
        promised.extend(commands::allocate_order(&mut tx, company, id, &promised).await?);
        tx.commit().await?;
    }
    Ok(())
}
