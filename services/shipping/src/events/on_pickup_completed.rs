use quenty_contracts::pickup::PickupCompleted;
use quenty_platform::{Received, Tx};

use crate::{Error, commands};

pub async fn on_pickup_completed(tx: &mut Tx, event: Received<PickupCompleted>) -> Result<(), Error> {
    // A pickup without an order collects what Shipping knows nothing of; a return's driver brings the goods
    // without a label.
    let Some(order) = event.data.order_id else { return Ok(()) };
    commands::collect_shipments(tx, order, &event.data, event.id).await
}
