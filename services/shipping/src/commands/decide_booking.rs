use quenty_contracts::customer::Standing as ToldStanding;
use quenty_kernel::{Scope, id::ShipmentId};
use quenty_platform::Tx;

use crate::{
    Error,
    domain::{rules::Standing, shipment::Status},
    store,
};

use super::{book, save_shipment};

/// Books or rejects what was waiting for Customer's word; nothing if it was voided meanwhile.
pub async fn decide_booking(tx: &mut Tx, id: ShipmentId, told: &ToldStanding) -> Result<(), Error> {
    store::neighbours::keep_standing(tx.conn(), told).await?;
    let mut shipment = store::shipments::lock(tx.conn(), Scope::All, id).await?;
    if shipment.state().status != Status::Booking {
        return Ok(());
    }
    let standing = Standing::from(told);
    let outcome = match standing.permits(shipment.state().is_export()) {
        Ok(()) => book(tx, &mut shipment).await?,
        Err(refusal) => shipment.reject(&refusal, tx.now())?,
    };
    save_shipment(tx, &shipment, [outcome]).await
}
