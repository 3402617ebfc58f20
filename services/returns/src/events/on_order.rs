//! Order tells what was delivered, and what was paid for it.

use quenty_contracts::order::{OrderDelivered, OrderPaid};
use quenty_platform::{Received, Tx};

use crate::{Error, commands};

pub(super) async fn on_delivered(tx: &mut Tx, event: Received<OrderDelivered>) -> Result<(), Error> {
    commands::keep_delivered(tx, event.data).await
}

pub(super) async fn on_paid(tx: &mut Tx, event: Received<OrderPaid>) -> Result<(), Error> {
    commands::keep_payment(tx, event.data.order_id, event.data.amount).await
}
