use quenty_contracts::returns::ReturnWayBackCancelRequested;
use quenty_platform::{Received, Tx};

use crate::{
    Error,
    commands::{self, CancelWish},
};

pub async fn on_way_back_cancel_requested(
    tx: &mut Tx,
    event: Received<ReturnWayBackCancelRequested>,
) -> Result<(), Error> {
    let asked = event.data;
    // A driver is Pickup's to call off.
    if asked.way_back != "label" {
        return Ok(());
    }
    let wish = CancelWish {
        return_id: asked.return_id,
        company_id: asked.company_id,
        attempt: asked.attempt,
        shipment_id: asked.shipment_id,
        reason: asked.reason,
    };
    commands::answer_cancel_request(tx, wish).await
}
