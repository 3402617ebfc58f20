//! An order wants its parcels collected.

use quenty_contracts::order::PickupRequested;
use quenty_platform::{Received, Tx};

use crate::{
    Error, commands,
    domain::booking::{Asker, BookingRequest, Wanted},
};

pub(super) async fn on_pickup_requested(tx: &mut Tx, event: Received<PickupRequested>) -> Result<(), Error> {
    let asked = event.data;
    let request = BookingRequest {
        company_id: asked.company_id,
        order_id: Some(asked.order_id),
        return_id: None,
        attempt: asked.attempt,
        // A kind that this version does not know waits in the inbox for one that does.
        kind: asked.kind.parse()?,
        wanted: Wanted { date: asked.date, slot: asked.slot },
        contact: asked.sender,
        parcels: asked.parcels,
        insured_value: asked.insured_value,
        packaging: false,
        tracking_number: Some(asked.tracking_number),
    };
    commands::request_pickup(tx, Asker::Order(asked.order_id), request).await
}
