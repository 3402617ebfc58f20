//! Orders the replacement. Order answers the same return with the same order, however often it is asked.

use quenty_contracts::order::ExchangePlaced;
use quenty_kernel::Scope;
use quenty_platform::{App, client::CallError, tasks::Claimed};

use crate::{
    Error,
    commands::{self, PlaceExchange},
    store,
};

pub(super) async fn place_exchange(app: App, task: Claimed<PlaceExchange>) -> Result<(), Error> {
    let id = task.payload.return_id;
    let of = store::returns::find(app.db(), Scope::All, id).await?.ok_or(Error::NotFound("return"))?;
    // Placed or given up meanwhile.
    let Some(wanted) = commands::wanted_exchange(&of) else { return Ok(()) };
    let answer: Result<ExchangePlaced, CallError> =
        app.client().post("order", "/internal/exchanges", &wanted).await;
    let mut tx = task.begin(&app).await?;
    match answer {
        Ok(placed) => commands::exchange_return(&mut tx, id, &placed).await?,
        Err(refused) if refused.is_not_found() => {
            commands::fail_exchange(&mut tx, id, &refused.to_string()).await?;
        }
        // Without a code it is not Order's word.
        Err(CallError::Refused { status: 409 | 422, code: Some(_), problem, .. }) => {
            commands::fail_exchange(&mut tx, id, &problem).await?;
        }
        Err(away) => return Err(quenty_platform::Error::from(away).into()),
    }
    Ok(tx.commit().await?)
}
