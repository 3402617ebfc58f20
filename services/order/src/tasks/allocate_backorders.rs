use quenty_platform::{App, tasks::Claimed, tx::Cause};

use crate::{
    Error,
    commands::{self, Allocated, StockArrived},
    store,
};

/// Serves those who wait for what can be had now, the first who came first, as long as there is something for
/// anybody. Each order has its own transaction, so that orders and stock are always locked in the same sequence.
pub(super) async fn allocate_backorders(app: App, task: Claimed<StockArrived>) -> Result<(), Error> {
    let StockArrived { company_id, mut products } = task.payload;
    let mut after = None;
    while let Some(id) = store::backorders::next(app.db(), &products, after).await? {
        let mut tx = app.begin_as(Cause::system()).await?;
        let allocated = commands::allocate_order(&mut tx, company_id, id).await?;
        tx.commit().await?;
        match allocated {
            Allocated::Served(of) => products.extend(of),
            Allocated::Short(of) => products.retain(|product| !of.contains(product)),
        }
        after = Some(id);
    }
    Ok(())
}
