use quenty_kernel::{Scope, id::OrderId, money::Money};
use quenty_platform::Tx;

use super::save_order::change_order;
use crate::{Error, domain::order::Order};

/// Records what the merchant paid back of an order that nobody got: without an amount, all that is left.
pub(crate) async fn refund_order(
    tx: &mut Tx,
    scope: Scope,
    id: OrderId,
    (amount, reference): (Option<Money>, Option<String>),
) -> Result<Order, Error> {
    change_order(tx, scope, id, |order, now| order.refund(amount, reference, now)).await
}
