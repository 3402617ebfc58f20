use quenty_contracts::shipping::ShipmentVoided;
use quenty_kernel::id::{CompanyId, ReturnId, ShipmentId};
use quenty_platform::Tx;

use crate::{
    Error,
    domain::shipment::{ShipmentFact, Status},
    store,
};

use super::{save_shipment, void_shipment::void};

/// A return no longer wants the label that it asked for.
#[derive(Debug, Clone)]
pub struct CancelWish {
    pub return_id: ReturnId,
    pub company_id: CompanyId,
    pub attempt: u32,
    /// What the return heard that was booked, if it has heard yet.
    pub shipment_id: Option<ShipmentId>,
    pub reason: String,
}

/// The return waits for an answer. That is `voided`, unless the carrier has the parcels: then `picked_up` was told.
///
/// A request that is not known was never made: a return's events arrive in their order, each after the one before
/// it succeeded. (It may have been discarded by an operator, or be older than this database.) Then nothing will
/// travel, which is what `voided` says; and the request is marked as answered, so that it books nothing should an
/// operator replay it after all.
pub async fn answer_cancel_request(tx: &mut Tx, wish: CancelWish) -> Result<(), Error> {
    let shipments = store::shipments::lock_of_return(tx.conn(), wish.return_id).await?;
    let known = shipments.into_iter().find(|shipment| shipment.state().attempt == wish.attempt);
    let Some(mut shipment) = known else { return answer_unknown(tx, wish).await };
    if shipment.state().status.can_become(Status::Voided) {
        return void(tx, &mut shipment, &wish.reason).await;
    }
    let now = tx.now();
    let Some(told) = shipment.tell_voided(&wish.reason, now) else { return Ok(()) };
    save_shipment(tx, &shipment, [told]).await
}

async fn answer_unknown(tx: &mut Tx, wish: CancelWish) -> Result<(), Error> {
    let now = tx.now();
    store::neighbours::mark_return_request_cancelled(tx.conn(), wish.return_id, wish.attempt, now).await?;
    let shipment_id = wish.shipment_id.unwrap_or_else(ShipmentId::new);
    let return_id = Some(wish.return_id);
    let voided = ShipmentVoided { shipment_id, order_id: None, return_id, reason: wish.reason };
    tx.record(shipment_id, Some(wish.company_id), &ShipmentFact::from(voided))?;
    Ok(())
}
