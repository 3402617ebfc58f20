use quenty_contracts::order::OrderUpdated;
use quenty_platform::{Received, Tx};

use crate::{Error, commands};

pub async fn on_order_updated(tx: &mut Tx, event: Received<OrderUpdated>) -> Result<(), Error> {
    commands::correct_consignee(tx, event.data.order_id, &event.data.consignee, event.id).await
}
