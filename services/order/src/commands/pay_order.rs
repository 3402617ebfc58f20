use quenty_kernel::{Scope, id::OrderId};
use quenty_platform::Tx;

use super::go_on::go_on;
use crate::{
    Error,
    domain::order::{Order, Payment},
};

/// Records a payment that the merchant received.
pub(crate) async fn pay_order(
    tx: &mut Tx,
    scope: Scope,
    id: OrderId,
    payment: Payment,
) -> Result<Order, Error> {
    go_on(tx, scope, id, |order, now| order.pay(payment, now)).await
}
