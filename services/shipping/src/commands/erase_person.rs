use quenty_contracts::{customer::ErasureRequested, party::Party, shipping::ShipmentsErased};
use quenty_kernel::id::{OrderId, ReturnId, ShipmentId};
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
/// for them by hand: while one of these is under way nothing is erased or told, and a job goes on when that has ended. Who
/// sends an order, and whom a return goes to, is the merchant.
///
/// # Errors
/// While a carrier still needs to know where a parcel of an order or a return goes, although that has ended.
pub async fn erase_person(tx: &mut Tx, asked: &ErasureRequested) -> Result<(), Error> {
    let (shipments, under_way) = hold(tx, asked).await?;
    if !under_way.is_empty() {
        let now = tx.now();
        return store::erasures::put_pending(tx.conn(), asked, now).await;
    }
    store::erasures::forget_pending(tx.conn(), asked).await?;
    erase(tx, asked, &shipments).await
}

/// Erases whom it was waited for. Returns the shipments that it still waits for.
///
/// # Errors
/// As [`erase_person`].
pub async fn erase_at_last(tx: &mut Tx, asked: &ErasureRequested) -> Result<Vec<ShipmentId>, Error> {
    let (shipments, under_way) = hold(tx, asked).await?;
    // Under the locks: another process may have done it meanwhile, or a later round was asked, and then that one tells.
    if under_way.is_empty() && store::erasures::forget_pending(tx.conn(), asked).await? {
        erase(tx, asked, &shipments).await?;
    }
    Ok(under_way)
}

/// The person's shipments, locked, and those of them that were made by hand and are under way.
async fn hold(tx: &mut Tx, asked: &ErasureRequested) -> Result<(Vec<Shipment>, Vec<ShipmentId>), Error> {
    let ErasureRequested { company_id, customer_id, order_ids, return_ids, .. } = asked;
    tx.hold_for_erasure(&askers(asked)).await?;
    let shipments =
        store::shipments::lock_of_all(tx.conn(), *company_id, order_ids, return_ids, *customer_id).await?;
    let live = || shipments.iter().map(Shipment::state).filter(|of| of.status.is_live());
    if live().any(|of| of.customer_id.is_none()) {
        let why = "a shipment of a person who is to be erased is still under way";
        return Err(quenty_platform::Error::internal(why).into());
    }
    let under_way = live().map(|of| of.id).collect();
    Ok((shipments, under_way))
}

/// What a shipment of the person may have been made for.
fn askers(asked: &ErasureRequested) -> Vec<Uuid> {
    let (orders, returns) = (asked.order_ids.iter(), asked.return_ids.iter());
    orders.map(|id| id.uuid()).chain(returns.map(|id| id.uuid())).chain([asked.customer_id.uuid()]).collect()
}

async fn erase(tx: &mut Tx, asked: &ErasureRequested, shipments: &[Shipment]) -> Result<(), Error> {
    let ErasureRequested { request_id, company_id, customer_id, round, .. } = *asked;
    let mut about: Vec<String> = asked.order_ids.iter().map(OrderId::to_string).collect();
    about.extend(asked.return_ids.iter().map(ReturnId::to_string));
    let askers = askers(asked);
    let (mut records, mut facts) = (0, 0);
    for goes_back in [false, true] {
        let mut streams = Vec::new();
        for shipment in shipments.iter().filter(|of| of.state().return_id.is_some() == goes_back) {
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
