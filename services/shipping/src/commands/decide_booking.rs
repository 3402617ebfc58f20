use quenty_contracts::customer::Standing as ToldStanding;
use quenty_kernel::{Scope, id::ShipmentId};
use quenty_platform::Tx;

use crate::{
    Error,
    domain::{
        rules::{Refusal, Standing},
        shipment::Status,
        tariff::local,
    },
    store,
};

use super::{book, save_shipment};

/// Books or rejects what was waiting for Customer's word, which may be that there is no such company; nothing if it was
/// voided meanwhile.
pub async fn decide_booking(tx: &mut Tx, id: ShipmentId, told: Option<&ToldStanding>) -> Result<(), Error> {
    if let Some(told) = told {
        store::neighbours::keep_standing(tx.conn(), told).await?;
    }
    let mut shipment = store::shipments::lock(tx.conn(), Scope::All, id).await?;
    if shipment.state().status != Status::Booking {
        return Ok(());
    }
    let now = tx.now();
    let standing = told.map(Standing::from).ok_or(Refusal::CompanyNotActive);
    let permitted = standing.and_then(|standing| {
        standing.permits(shipment.state().is_export())?;
        Ok(standing)
    });
    let facts: Vec<_> = match permitted {
        Ok(standing) => {
            // Customer may have been away for days.
            let renewed = shipment.promise_anew(&local(now, standing.time_zone.as_deref()));
            let booked = book(tx, &mut shipment).await?;
            renewed.into_iter().chain([booked]).collect()
        }
        Err(refusal) => vec![shipment.reject(&refusal, now)?],
    };
    save_shipment(tx, &shipment, facts).await
}
