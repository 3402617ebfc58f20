use quenty_kernel::{Scope, id::OrderId};
use quenty_platform::{Tx, http::IfMatch};

use super::{go_on::look_around, save_order::save_order};
use crate::{
    Error,
    domain::order::{Order, OrderError, Status},
    store,
};

/// Staff say where the order stands; the saga follows.
///
/// # Errors
/// [`OrderError`]; 412 when it has another version than `seen`.
pub(crate) async fn set_order_status(
    tx: &mut Tx,
    scope: Scope,
    id: OrderId,
    seen: IfMatch,
    (to, reason): (Status, String),
) -> Result<Order, Error> {
    let mut order = store::orders::lock(tx.conn(), scope, id).await?.ok_or(OrderError::NotFound)?;
    seen.check(order.version)?;
    look_around(tx.conn(), &mut order, false).await?;
    order.set_status(to, reason, tx.now())?;
    save_order(tx, &mut order, vec![]).await?;
    Ok(order)
}
