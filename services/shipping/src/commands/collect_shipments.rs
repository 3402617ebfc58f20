use quenty_contracts::pickup::PickupCompleted;
use quenty_kernel::id::OrderId;
use quenty_platform::Tx;
use uuid::Uuid;

use crate::{Error, store};

use super::{save_shipment, track, zone_of};

/// The driver has an order's parcels, or says why not all of them: what had to wait for that is promised anew. What was
/// scanned on before, or was voided, stays as it is.
pub async fn collect_shipments(
    tx: &mut Tx,
    order: OrderId,
    collected: &PickupCompleted,
    event_id: Uuid,
) -> Result<(), Error> {
    let zone = zone_of(tx, collected.company_id).await?;
    for mut shipment in store::shipments::lock_of_order(tx.conn(), order).await? {
        let facts = shipment.pick_up(collected.at, zone.as_deref(), tx.now());
        if !facts.is_empty() {
            save_shipment(tx, &shipment, facts).await?;
            let detail = collected.difference.clone();
            track(tx, &shipment, "picked_up", Some(event_id), collected.at, detail).await?;
        }
    }
    Ok(())
}
