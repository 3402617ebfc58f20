//! A return wants its goods collected at the buyer's door.

use quenty_contracts::returns::ReturnPickupRequested;
use quenty_platform::{Received, Tx};

use crate::{
    Error, commands,
    domain::booking::{Asker, BookingRequest, Wanted},
};

pub(super) async fn on_return_pickup_requested(
    tx: &mut Tx,
    event: Received<ReturnPickupRequested>,
) -> Result<(), Error> {
    let asked = event.data;
    let request = BookingRequest {
        company_id: asked.company_id,
        // The order that the goods came from has its own pickup, long ago: this one is not the order's.
        order_id: None,
        return_id: Some(asked.return_id),
        attempt: asked.attempt,
        // A kind that this version does not know waits in the inbox for one that does.
        kind: asked.kind.parse()?,
        wanted: Wanted { date: asked.date, slot: asked.slot },
        contact: asked.sender,
        parcels: asked.parcels,
        insured_value: None,
        packaging: false,
        tracking_number: None,
    };
    commands::request_pickup(tx, Asker::Return(asked.return_id), request).await
}
