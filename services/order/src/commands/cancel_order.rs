use quenty_kernel::{Scope, id::OrderId};
use quenty_platform::Tx;

use super::save_order::change_order;
use crate::{Error, domain::order::Order};

/// Cancels at once while no pickup is live; else asks Pickup to let it go.
pub(crate) async fn cancel_order(
    tx: &mut Tx,
    scope: Scope,
    id: OrderId,
    reason: String,
) -> Result<Order, Error> {
    change_order(tx, scope, id, |order, now| order.cancel(reason, now)).await
}
