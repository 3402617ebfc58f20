use quenty_kernel::{
    Scope,
    id::{OrderId, ShipmentId},
};
use quenty_platform::Tx;

use crate::{
    Error,
    domain::{
        shipment::{Shipment, Status},
        tracking::ExceptionCode,
    },
    store,
};

use super::{raise_exception, save_manifest, save_shipment, track};

/// Gives a shipment up before its parcels are collected. An order's is the order's to give up, and a return's the
/// return's: without it they would wait for parcels that never come.
pub async fn void_shipment(
    tx: &mut Tx,
    scope: Scope,
    id: ShipmentId,
    reason: &str,
) -> Result<Shipment, Error> {
    let mut shipment = store::shipments::lock(tx.conn(), scope, id).await?;
    if shipment.state().order_id.is_some() {
        return Err(Error::OfAnOrder);
    }
    if shipment.state().return_id.is_some() {
        return Err(Error::OfAReturn);
    }
    void(tx, &mut shipment, reason).await?;
    Ok(shipment)
}

/// Voids what is booked for an order and not collected, and whatever is asked for it later. Order may not have heard yet
/// that the carrier has the parcels: people have to send those back.
pub async fn cancel_order(tx: &mut Tx, order: OrderId) -> Result<(), Error> {
    let now = tx.now();
    store::neighbours::mark_cancelled(tx.conn(), order, now).await?;
    for mut shipment in store::shipments::lock_of_order(tx.conn(), order).await? {
        let status = shipment.state().status;
        if status.can_become(Status::Voided) {
            void(tx, &mut shipment, "the order was cancelled").await?;
        } else if status.is_on_its_way() {
            let why =
                "the order was cancelled after the carrier had the parcels: return them to their sender";
            // The order's own id: it is cancelled once, however often that is told.
            raise_exception(tx, &shipment, order.uuid(), ExceptionCode::Other, why).await?;
        }
    }
    Ok(())
}

/// It also leaves its manifest, whatever that has come to: it will not travel.
pub(super) async fn void(tx: &mut Tx, shipment: &mut Shipment, reason: &str) -> Result<(), Error> {
    let now = tx.now();
    let was_booked = shipment.state().status == Status::Booked;
    let voided = shipment.void(reason, now)?;
    save_shipment(tx, shipment, [voided]).await?;
    if !was_booked {
        return Ok(());
    }
    track(tx, shipment, "voided", None, now, None).await?;
    let id = shipment.state().id;
    let Some(manifest) = store::manifest_items::manifest_of(tx.conn(), id).await? else { return Ok(()) };
    let mut manifest = store::manifests::lock(tx.conn(), Scope::All, manifest).await?;
    // Looked up before the lock: somebody may have taken it out meanwhile.
    if let Some(weight) = store::manifest_items::delete(tx.conn(), manifest.state().id, id).await? {
        let dropped = manifest.drop_item(id, weight, now);
        save_manifest(tx, &manifest, [dropped]).await?;
    }
    Ok(())
}
