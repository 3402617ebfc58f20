use quenty_kernel::Scope;
use quenty_platform::{App, tasks::Claimed, tx::Cause};

use crate::{
    Error,
    commands::{self, Closed},
    domain::order::OrderError,
    store,
};

/// Nobody is left to see to the orders of a closed company: what was not collected yet is cancelled, each order in its own
/// transaction, and its goods are set free. What a driver has begun to collect goes on to its door.
pub(super) async fn cancel_orders_of_closed(app: App, task: Claimed<Closed>) -> Result<(), Error> {
    let company = task.payload.company_id;
    let mut after = None;
    while let Some(id) = store::orders::next_uncollected(app.db(), company, after).await? {
        let mut tx = app.begin_as(Cause::system()).await?;
        let reason = "the company is closed".to_owned();
        match commands::cancel_order(&mut tx, Scope::Company(company), id, reason).await {
            Ok(_) => tx.commit().await?,
            // It was collected meanwhile.
            Err(Error::Order(OrderError::NotCancellable(_))) => {}
            Err(error) => return Err(error),
        }
        after = Some(id);
    }
    Ok(())
}
