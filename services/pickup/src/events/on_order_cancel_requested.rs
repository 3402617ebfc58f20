//! An order wants to be cancelled while its pickup is live.

use quenty_contracts::order::OrderCancelRequested;
use quenty_platform::{Received, Tx};

use crate::{
    Error, commands,
    domain::booking::{Asker, CancelWish},
};

pub(super) async fn on_order_cancel_requested(
    tx: &mut Tx,
    event: Received<OrderCancelRequested>,
) -> Result<(), Error> {
    let OrderCancelRequested { order_id, pickup_id, attempt, reason, .. } = event.data;
    let wish = CancelWish { asker: Asker::Order(order_id), attempt, pickup_id, reason };
    commands::answer_cancel_request(tx, event.company_id, wish).await
}
