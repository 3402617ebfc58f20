use quenty_contracts::{
    party::{Item, Parcel, Party},
    shipping::ShipmentCreated,
};
use quenty_kernel::{
    id::{CompanyId, OrderId, ShipmentId},
    money::Money,
};
use quenty_platform::Tx;

use crate::{
    Error,
    domain::{
        shipment::Shipment,
        tariff::{QTY, ServiceLevel},
    },
    store,
};

/// What a draft is made of.
#[derive(Debug, Clone)]
pub struct NewShipment {
    pub company_id: CompanyId,
    /// The order that asked for it, and which of its requests this answers.
    pub request: Option<(OrderId, u32)>,
    pub reference: Option<String>,
    pub service: ServiceLevel,
    pub sender: Party,
    pub consignee: Party,
    pub parcels: Vec<Parcel>,
    pub items: Vec<Item>,
    pub declared_value: Money,
    pub cash_on_delivery: Option<Money>,
    pub incoterm: Option<String>,
}

/// Makes a draft: nothing is promised and nothing will be collected.
pub async fn create_shipment(tx: &mut Tx, new: NewShipment) -> Result<Shipment, Error> {
    let created = ShipmentCreated {
        shipment_id: ShipmentId::new(),
        company_id: new.company_id,
        order_id: new.request.map(|(order, _)| order),
        attempt: new.request.map_or(0, |(_, attempt)| attempt),
        reference: new.reference,
        carrier: QTY.to_owned(),
        service: new.service.as_str().to_owned(),
        international: new.sender.address.country() != new.consignee.address.country(),
        sender: new.sender,
        consignee: new.consignee,
        parcels: new.parcels,
        items: new.items,
        declared_value: new.declared_value,
        cash_on_delivery: new.cash_on_delivery,
        incoterm: new.incoterm,
    };
    let (shipment, fact) = Shipment::create(created, tx.now());
    store::shipments::insert(tx.conn(), &shipment).await?;
    tx.record(shipment.state().id, Some(shipment.state().company_id), &fact)?;
    Ok(shipment)
}
