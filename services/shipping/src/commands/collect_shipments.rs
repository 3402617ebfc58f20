use quenty_contracts::pickup::PickupCompleted;
use quenty_kernel::id::OrderId;
use quenty_platform::Tx;
use uuid::Uuid;

use crate::{Error, store};

use super::{save_shipment, track};

/// The driver has an order's parcels, or says why not all of them. What was scanned on before, or was voided, stays
/// as it is.
pub async fn collect_shipments(
    tx: &mut Tx,
    order: OrderId,
    collected: &PickupCompleted,
    event_id: Uuid,
) -> Result<(), Error> {
    let at = collected.at;
    for mut shipment in store::shipments::lock_of_order(tx.conn(), order).await? {
        if let Some(picked_up) = shipment.pick_up(at, tx.now()) {
            save_shipment(tx, &shipment, [picked_up]).await?;
            track(tx, &shipment, "picked_up", Some(event_id), at, collected.difference.clone()).await?;
        }
    }
    Ok(())
}
