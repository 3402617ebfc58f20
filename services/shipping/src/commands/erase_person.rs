use quenty_contracts::{customer::ErasureRequested, party::Party, shipping::ShipmentsErased};
use quenty_kernel::id::{OrderId, ReturnId};
use quenty_platform::{
    Tx,
    erasure::{Personal, Traces},
};
use uuid::Uuid;

use super::{save_shipment, void_shipment::void};
use crate::{
    Error,
    domain::shipment::{ErasureFact, Shipment, Status},
    store,
};

/// Erases the person from the shipments of these orders and returns, which have ended, and from those that were made
/// for them by hand. Who sends an order, and whom a return goes to, is the merchant.
///
/// # Errors
/// While a carrier still needs to know where a parcel goes: that is waited for.
pub async fn erase_person(tx: &mut Tx, asked: &ErasureRequested) -> Result<(), Error> {
    let ErasureRequested { request_id, company_id, customer_id, round, .. } = *asked;
    let mut about: Vec<String> = asked.order_ids.iter().map(OrderId::to_string).collect();
    about.extend(asked.return_ids.iter().map(ReturnId::to_string));
    let (orders, returns) = (&asked.order_ids, &asked.return_ids);
    let askers: Vec<Uuid> = orders
        .iter()
        .map(|id| id.uuid())
        .chain(returns.iter().map(|id| id.uuid()))
        .chain([customer_id.uuid()])
        .collect();
    tx.hold_for_erasure(&askers).await?;
    let shipments =
        store::shipments::lock_of_all(tx.conn(), company_id, orders, returns, customer_id).await?;
    let (mut records, mut facts) = (0, 0);
    for goes_back in [false, true] {
        let mut streams = Vec::new();
        for shipment in shipments.iter().filter(|of| of.state().return_id.is_some() == goes_back) {
            if shipment.state().status.is_live() {
                let why = "a shipment of a person who is to be erased is still under way";
                return Err(quenty_platform::Error::internal(why).into());
            }
            records += u32::from(erase_shipment(tx, shipment.clone()).await?);
            streams.push(shipment.state().id.to_string());
        }
        let leave = if goes_back { leave_consignee } else { leave_sender };
        let traces = Traces { streams, about: about.clone(), erased: askers.clone() };
        facts += tx.erase_personal(request_id, company_id, &traces, leave).await?;
    }
    let erased = ShipmentsErased { request_id, company_id, customer_id, round, records, facts };
    Ok(tx.record(request_id, Some(company_id), &ErasureFact::from(erased))?)
}

/// What was noted of it goes in any case: it may have been noted since the parties were erased.
async fn erase_shipment(tx: &mut Tx, mut shipment: Shipment) -> Result<bool, Error> {
    // Or it would be booked to a door that nobody knows.
    if shipment.state().status == Status::Draft {
        void(tx, &mut shipment, "its customer is erased").await?;
    }
    let erased = shipment.erase(tx.now());
    let is_known = erased.is_some();
    if is_known {
        save_shipment(tx, &shipment, erased).await?;
    }
    store::shipments::save_erased(tx.conn(), &shipment).await?;
    Ok(is_known)
}

fn leave_sender(personal: &mut Personal) -> quenty_platform::Result<()> {
    personal.leave("consignee", Party::erased)?;
    personal.clear("received_by");
    Ok(())
}

fn leave_consignee(personal: &mut Personal) -> quenty_platform::Result<()> {
    personal.leave("sender", Party::erased)
}
