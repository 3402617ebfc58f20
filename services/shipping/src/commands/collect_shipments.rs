use quenty_contracts::pickup::PickupCompleted;
use quenty_kernel::id::OrderId;
use quenty_platform::Tx;
use uuid::Uuid;

use crate::{Error, store};

use super::{local_to, save_shipment, track};

/// The driver has an order's parcels, or says why not all of them: what had to wait for that is promised anew. What was
/// scanned on before, or was voided, stays as it is.
pub async fn collect_shipments(
    tx: &mut Tx,
    order: OrderId,
    collected: &PickupCompleted,
    event_id: Uuid,
) -> Result<(), Error> {
    let at = local_to(tx, collected.company_id, collected.at).await?;
    for mut shipment in store::shipments::lock_of_order(tx.conn(), order).await? {
        let facts = shipment.pick_up(&at, tx.now());
        if !facts.is_empty() {
            save_shipment(tx, &shipment, facts).await?;
            let detail = collected.difference.clone();
            track(tx, &shipment, "picked_up", Some(event_id), collected.at, detail).await?;
        }
    }
    Ok(())
}
