use jiff::civil::Date;
use quenty_contracts::{
    party::{Item, Parcel, Party},
    shipping::ShipmentCreated,
};
use quenty_kernel::{
    id::{CompanyId, CustomerId, OrderId, ReturnId, ShipmentId},
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

/// Whose request it is, when another service asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    Order(OrderId),
    Return(ReturnId),
}

/// A request of another service; the same one again is answered once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    pub asker: Asker,
    pub attempt: u32,
    /// The day from which the parcels can be collected; at once, unless told.
    pub ready_on: Option<Date>,
}

/// What a draft is made of.
#[derive(Debug, Clone)]
pub struct NewShipment {
    pub company_id: CompanyId,
    /// What this answers, if another service asked for it.
    pub request: Option<Request>,
    /// To whom it goes, if the company says so.
    pub customer_id: Option<CustomerId>,
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
///
/// # Errors
/// [`Error::UnknownCustomer`]: they are erased, perhaps since Customer was asked.
pub async fn create_shipment(tx: &mut Tx, new: NewShipment) -> Result<Shipment, Error> {
    if let Some(customer) = new.customer_id
        && tx.is_erased(customer).await?
    {
        return Err(Error::UnknownCustomer);
    }
    let (order_id, return_id) = match new.request.map(|request| request.asker) {
        Some(Asker::Order(id)) => (Some(id), None),
        Some(Asker::Return(id)) => (None, Some(id)),
        None => (None, None),
    };
    let created = ShipmentCreated {
        shipment_id: ShipmentId::new(),
        company_id: new.company_id,
        order_id,
        return_id,
        attempt: new.request.map_or(0, |request| request.attempt),
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
        customer_id: new.customer_id,
    };
    let (shipment, fact) = Shipment::create(created, tx.now());
    store::shipments::insert(tx.conn(), &shipment).await?;
    tx.record(shipment.state().id, Some(shipment.state().company_id), &fact)?;
    Ok(shipment)
}
