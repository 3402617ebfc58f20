use quenty_contracts::party::Party;
use quenty_kernel::{Scope, id::OrderId};
use quenty_platform::{Tx, http::IfMatch};

use super::save_order::save_order;
use crate::{
    Error,
    domain::order::{Order, OrderError},
    store,
};

/// What an update sets; `None` leaves a field as it is, `Some(None)` empties it.
#[derive(Debug, Clone, Default)]
pub(crate) struct OrderChanges {
    pub(crate) consignee: Option<Party>,
    pub(crate) notes: Option<Option<String>>,
}

/// Changes where an order goes, before anybody has fetched it.
///
/// # Errors
/// [`OrderError`]; 412 when it has another version than `seen`.
pub(crate) async fn update_order(
    tx: &mut Tx,
    scope: Scope,
    id: OrderId,
    seen: IfMatch,
    changes: OrderChanges,
) -> Result<Order, Error> {
    let mut order = store::orders::lock(tx.conn(), scope, id).await?.ok_or(OrderError::NotFound)?;
    seen.check(order.version)?;
    order.update(changes.consignee, changes.notes, tx.now())?;
    save_order(tx, &mut order, vec![]).await?;
    Ok(order)
}
