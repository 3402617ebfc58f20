//! A return no longer wants its driver: it was given up, or the buyer brought the goods.

use quenty_contracts::returns::ReturnWayBackCancelRequested;
use quenty_platform::{Received, Tx};

use crate::{
    Error, commands,
    domain::booking::{Asker, CancelWish},
};

pub(super) async fn on_way_back_cancel_requested(
    tx: &mut Tx,
    event: Received<ReturnWayBackCancelRequested>,
) -> Result<(), Error> {
    let ReturnWayBackCancelRequested { return_id, company_id, attempt, way_back, pickup_id, reason, .. } =
        event.data;
    // A label is Shipping's to give up.
    if way_back != "pickup" {
        return Ok(());
    }
    let wish = CancelWish { asker: Asker::Return(return_id), attempt, pickup_id, reason };
    commands::answer_cancel_request(tx, Some(company_id), wish).await
}
