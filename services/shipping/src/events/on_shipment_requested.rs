use quenty_contracts::order::ShipmentRequested;
use quenty_platform::{Received, Tx};

use crate::{
    Error,
    commands::{self, Asker, NewShipment, Request},
    domain::tariff::ServiceLevel,
};

pub async fn on_shipment_requested(tx: &mut Tx, event: Received<ShipmentRequested>) -> Result<(), Error> {
    let asked = event.data;
    let new = NewShipment {
        company_id: asked.company_id,
        request: Some(Request {
            asker: Asker::Order(asked.order_id),
            attempt: asked.attempt,
            ready_on: asked.ready_on,
        }),
        customer_id: None,
        reference: asked.reference,
        service: ServiceLevel::of_order(&asked.kind),
        sender: asked.sender,
        consignee: asked.consignee,
        parcels: asked.parcels,
        items: asked.items,
        declared_value: asked.declared_value,
        // Nothing to collect is no collection.
        cash_on_delivery: asked.cash_on_delivery.filter(|cash| !cash.is_zero()),
        incoterm: asked.incoterm,
    };
    commands::request_shipment(tx, new).await
}
