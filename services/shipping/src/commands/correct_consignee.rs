use quenty_contracts::party::Party;
use quenty_kernel::id::OrderId;
use quenty_platform::Tx;
use uuid::Uuid;

use crate::{
    Error,
    domain::{shipment::Status, tracking::ExceptionCode},
    store,
};

use super::{raise_exception, save_shipment, void_shipment::void};

/// Takes over an order's corrected consignee while nothing is collected. Another country is another price and other
/// customs: such a shipment is voided, which Order hears. Order may not have heard yet that the carrier has the parcels:
/// people have to redirect those.
pub async fn correct_consignee(
    tx: &mut Tx,
    order: OrderId,
    consignee: &Party,
    event_id: Uuid,
) -> Result<(), Error> {
    let now = tx.now();
    for mut shipment in store::shipments::lock_of_order(tx.conn(), order).await? {
        let moved_abroad = shipment.state().consignee.address.country() != consignee.address.country();
        if moved_abroad && shipment.state().status.can_become(Status::Voided) {
            void(tx, &mut shipment, "the consignee is in another country now: ask for another shipment")
                .await?;
        } else if let Some(corrected) = shipment.correct_consignee(consignee, now) {
            save_shipment(tx, &shipment, [corrected]).await?;
        } else if shipment.state().status.is_on_its_way() && shipment.state().consignee != *consignee {
            let why = "the consignee was corrected after the collection: deliver to whom the order names";
            raise_exception(tx, &shipment, event_id, ExceptionCode::AddressProblem, why).await?;
        }
    }
    Ok(())
}
