use jiff::Timestamp;
use quenty_kernel::id::OrderId;
use quenty_platform::Tx;
use uuid::Uuid;

use crate::{Error, domain::tracking::UnifiedStatus, store};

use super::{save_shipment, track};

/// The driver has an order's parcels. What was scanned on before, or was voided, stays as it is.
pub async fn collect_shipments(
    tx: &mut Tx,
    order: OrderId,
    at: Timestamp,
    event_id: Uuid,
) -> Result<(), Error> {
    for mut shipment in store::shipments::lock_of_order(tx.conn(), order).await? {
        if let Some(picked_up) = shipment.pick_up(at, tx.now()) {
            save_shipment(tx, &shipment, [picked_up]).await?;
            track(tx, &shipment, "picked_up", UnifiedStatus::PickedUp, Some(event_id), at).await?;
        }
    }
    Ok(())
}
