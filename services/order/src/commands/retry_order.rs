use quenty_kernel::{Scope, id::OrderId};
use quenty_platform::Tx;

use super::go_on::go_on;
use crate::{Error, domain::order::Order};

/// Goes on after a failure of the saga.
pub(crate) async fn retry_order(tx: &mut Tx, scope: Scope, id: OrderId) -> Result<Order, Error> {
    go_on(tx, scope, id, Order::retry).await
}
