use quenty_contracts::returns::ReturnLabelRequested;
use quenty_platform::{Received, Tx};

use crate::{
    Error,
    commands::{self, Asker, NewShipment, Request},
    domain::tariff::ServiceLevel,
};

pub async fn on_return_label_requested(
    tx: &mut Tx,
    event: Received<ReturnLabelRequested>,
) -> Result<(), Error> {
    let asked = event.data;
    let international = asked.sender.address.country() != asked.consignee.address.country();
    let new = NewShipment {
        company_id: asked.company_id,
        request: Some(Request {
            asker: Asker::Return(asked.return_id),
            attempt: asked.attempt,
            ready_on: None,
        }),
        customer_id: None,
        reference: None,
        service: ServiceLevel::Standard,
        sender: asked.sender,
        consignee: asked.consignee,
        parcels: asked.parcels,
        items: asked.items,
        declared_value: asked.declared_value,
        cash_on_delivery: None,
        incoterm: international.then(|| "DAP".to_owned()),
    };
    commands::request_shipment(tx, new).await
}
