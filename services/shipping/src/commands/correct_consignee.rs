use quenty_contracts::party::Party;
use quenty_kernel::id::OrderId;
use quenty_platform::Tx;
use uuid::Uuid;

use crate::{Error, domain::tracking::ExceptionCode, store};

use super::{raise_exception, save_shipment};

/// Takes over an order's corrected consignee while nothing is collected. Order may not have heard yet that the carrier
/// has the parcels: people have to redirect those.
pub async fn correct_consignee(
    tx: &mut Tx,
    order: OrderId,
    consignee: &Party,
    event_id: Uuid,
) -> Result<(), Error> {
    let now = tx.now();
    for mut shipment in store::shipments::lock_of_order(tx.conn(), order).await? {
        if let Some(corrected) = shipment.correct_consignee(consignee, now)? {
            save_shipment(tx, &shipment, [corrected]).await?;
        } else if shipment.state().status.is_on_its_way() && shipment.state().consignee != *consignee {
            let why = "the consignee was corrected after the collection: deliver to whom the order names";
            raise_exception(tx, &shipment, event_id, ExceptionCode::AddressProblem, why).await?;
        }
    }
    Ok(())
}
