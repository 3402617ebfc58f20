use quenty_kernel::{
    Scope,
    id::{CompanyId, OrderId},
};
use quenty_platform::{App, tasks::Claimed, tx::Cause};

use crate::{
    Error,
    commands::{self, Allowed},
    store,
};

/// So many orders a task: the next one goes on after them.
const SHARE: usize = 100;

/// What was held because of its company goes on by itself once the company may go on, each order in its own transaction.
pub(super) async fn retry_orders_of_allowed(app: App, task: Claimed<Allowed>) -> Result<(), Error> {
    let mut allowed = task.payload;
    let company = allowed.company_id;
    let mut outcome = Ok(());
    for _ in 0..SHARE {
        let next = store::orders::next_held(app.db(), company, allowed.codes(), allowed.after).await?;
        let Some(id) = next else { return outcome };
        // The others go on all the same, and are not held any more when this is tried again.
        if let Err(error) = retry(&app, company, id).await {
            tracing::error!(%company, order = %id, %error, "it could not go on by itself");
            outcome = Err(error);
        }
        allowed.after = Some(id);
    }
    // Nor do those that are left wait for one that fails here.
    let mut tx = app.begin_as(Cause::system()).await?;
    allowed.enqueue(&mut tx).await?;
    tx.commit().await?;
    outcome
}

async fn retry(app: &App, company: CompanyId, id: OrderId) -> Result<(), Error> {
    let mut tx = app.begin_as(Cause::system()).await?;
    match commands::retry_order(&mut tx, Scope::Company(company), id).await {
        Ok(_) => Ok(tx.commit().await?),
        // Somebody was faster.
        Err(Error::Order(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
