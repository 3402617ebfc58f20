use quenty_kernel::{Scope, id::OrderId};
use quenty_platform::Tx;

use super::save_order::change_order;
use crate::{
    Error,
    domain::order::{Order, Status},
};

/// Staff say where the order stands; the saga follows.
pub(crate) async fn set_order_status(
    tx: &mut Tx,
    scope: Scope,
    id: OrderId,
    to: Status,
    reason: String,
) -> Result<Order, Error> {
    change_order(tx, scope, id, |order, now| order.set_status(to, reason, now)).await
}
