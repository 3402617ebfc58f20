//! The buyer gets other goods: a new order, which Order places.

use quenty_contracts::order::{Exchange, ExchangePlaced};
use quenty_kernel::{Scope, id::ReturnId};
use quenty_platform::Tx;

use super::{EXCHANGE_TASK, PlaceExchange, lock, save};
use crate::{
    Error,
    domain::goods_return::{EXCHANGE_FAILED, Return},
};

/// What Order is asked for; nothing, if it was placed or given up meanwhile.
pub(crate) fn wanted_exchange(of: &Return) -> Option<Exchange> {
    let credit = of.check_may_exchange().ok()?;
    Some(Exchange {
        return_id: of.id,
        order_id: of.order_id(),
        company_id: of.company_id(),
        lines: of.request.exchange.clone(),
        returned: of.values.clone(),
        credit,
    })
}

/// The replacement is placed.
pub(crate) async fn exchange_return(tx: &mut Tx, id: ReturnId, placed: &ExchangePlaced) -> Result<(), Error> {
    let mut locked = lock(tx, Scope::All, id).await?;
    if locked.of.check_may_exchange().is_err() {
        // Of two requests at once, the other may have recorded this very order.
        if locked.of.settlement.as_ref().and_then(|of| of.exchange_order_id) != Some(placed.order_id) {
            tracing::error!(return_id = %id, order_id = %placed.order_id, "replaced although the return was settled otherwise");
        }
        return Ok(());
    }
    let whole = locked.order.is_returned_whole();
    let facts = locked.of.exchange(placed, whole, tx.now())?;
    save(tx, &mut locked, facts).await
}

/// Order refused: somebody has to try again, or to pay the buyer.
pub(crate) async fn fail_exchange(tx: &mut Tx, id: ReturnId, why: &str) -> Result<(), Error> {
    let mut locked = lock(tx, Scope::All, id).await?;
    if locked.of.check_may_exchange().is_err() {
        return Ok(());
    }
    let facts = locked.of.raise(EXCHANGE_FAILED, why, tx.now());
    save(tx, &mut locked, facts).await
}

/// Tries again, after Order refused.
pub(crate) async fn retry_exchange(tx: &mut Tx, scope: Scope, id: ReturnId) -> Result<Return, Error> {
    let mut locked = lock(tx, scope, id).await?;
    let facts = locked.of.ask_exchange(tx.now())?;
    save(tx, &mut locked, facts).await?;
    let key = format!("{id}:{}", locked.of.version);
    tx.enqueue(EXCHANGE_TASK, key, Some(locked.of.company_id()), &PlaceExchange { return_id: id })?;
    Ok(locked.of)
}
