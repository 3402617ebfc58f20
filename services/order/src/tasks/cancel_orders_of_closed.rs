use quenty_kernel::{
    Scope,
    id::{CompanyId, OrderId},
};
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
    let (mut after, mut outcome) = (None, Ok(()));
    while let Some(id) = store::orders::next_uncollected(app.db(), company, after).await? {
        // The others are cancelled all the same.
        if let Err(error) = cancel(&app, company, id).await {
            tracing::error!(%company, order = %id, %error, "an order of a closed company could not be cancelled");
            outcome = Err(error);
        }
        after = Some(id);
    }
    outcome
}

async fn cancel(app: &App, company: CompanyId, id: OrderId) -> Result<(), Error> {
    let mut tx = app.begin_as(Cause::system()).await?;
    let reason = "the company is closed".to_owned();
    match commands::cancel_order(&mut tx, Scope::Company(company), id, reason).await {
        Ok(_) => Ok(tx.commit().await?),
        // It was collected meanwhile.
        Err(Error::Order(OrderError::NotCancellable(_))) => Ok(()),
        Err(error) => Err(error),
    }
}
