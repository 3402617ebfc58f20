use quenty_kernel::{Scope, id::OrderId};
use quenty_platform::Tx;

use super::save_order::change_order;
use crate::{Error, domain::order::Order};

/// Stops the saga before it asks for anything more.
pub(crate) async fn hold_order(
    tx: &mut Tx,
    scope: Scope,
    id: OrderId,
    reason: String,
) -> Result<Order, Error> {
    change_order(tx, scope, id, |order, now| order.hold(reason, now)).await
}
