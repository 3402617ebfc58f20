use quenty_contracts::order::OrderCancelled;
use quenty_platform::{Received, Tx};

use crate::{Error, commands};

pub async fn on_order_cancelled(tx: &mut Tx, event: Received<OrderCancelled>) -> Result<(), Error> {
    commands::cancel_order(tx, event.data.order_id).await
}
