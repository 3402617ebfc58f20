//! An order wants to be cancelled while its pickup is live.

use quenty_contracts::order::OrderCancelRequested;
use quenty_platform::{Received, Tx};

use crate::{Error, commands};

pub(super) async fn on_order_cancel_requested(
    tx: &mut Tx,
    event: Received<OrderCancelRequested>,
) -> Result<(), Error> {
    commands::cancel_order_pickup(tx, event.company_id, event.data).await
}
