use quenty_kernel::{Scope, id::OrderId};
use quenty_platform::Tx;

use super::go_on::go_on;
use crate::{Error, domain::order::Order};

/// Lets an order that a person has held go on.
pub(crate) async fn release_order(tx: &mut Tx, scope: Scope, id: OrderId) -> Result<Order, Error> {
    go_on(tx, scope, id, Order::release).await
}
