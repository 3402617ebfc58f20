use quenty_contracts::customer::Standing as ToldStanding;
use quenty_kernel::{Scope, id::ShipmentId};
use quenty_platform::Tx;

use crate::{
    Error,
    domain::{rules::Refusal, shipment::Status, tariff::local},
    store,
};

use super::{book, save_shipment};

/// Books or rejects what was waiting for Customer's word, which may be that there is no such company; nothing if it was
/// voided meanwhile.
pub async fn decide_booking(tx: &mut Tx, id: ShipmentId, told: Option<&ToldStanding>) -> Result<(), Error> {
    let standing = match told {
        Some(told) => Some(store::neighbours::newest_standing(tx.conn(), told).await?),
        None => None,
    };
    let mut shipment = store::shipments::lock(tx.conn(), Scope::All, id).await?;
    if shipment.state().status != Status::Booking {
        return Ok(());
    }
    let now = tx.now();
    let permitted = standing.ok_or(Refusal::CompanyNotActive).and_then(|standing| {
        standing.permits(shipment.state().is_export())?;
        Ok(standing)
    });
    let facts: Vec<_> = match permitted {
        Ok(standing) => {
            // Customer may have been away for days.
            let renewed = shipment.promise_anew(&local(now, standing.time_zone.as_deref()), now);
            let booked = book(tx, &mut shipment).await?;
            renewed.into_iter().chain([booked]).collect()
        }
        Err(refusal) => vec![shipment.reject(&refusal, now)?],
    };
    save_shipment(tx, &shipment, facts).await
}
