use quenty_kernel::{Scope, id::ShipmentId};
use quenty_platform::Tx;

use crate::{
    Error,
    domain::{quote::Quote, rules::Standing, shipment::Shipment, tariff::local},
    store,
};

use super::{book, save_shipment, tariff_of};

/// Books a draft at the quoted price, or without a quote at today's. What forbids it is an error, and the draft stays.
pub async fn book_shipment(
    tx: &mut Tx,
    scope: Scope,
    id: ShipmentId,
    quote: Option<Quote>,
    standing: &Standing,
) -> Result<Shipment, Error> {
    let mut shipment = store::shipments::lock(tx.conn(), scope, id).await?;
    standing.permits(shipment.state().international)?;
    shipment.check_printable()?;
    let tariff = tariff_of(tx, &shipment).await?;
    let (now, company) = (tx.now(), shipment.state().company_id);
    let offer = match quote {
        Some(quote) => {
            // The items are no part of a quote's price, but they may be prohibited.
            tariff.check(&shipment.consignment())?;
            quote.redeem(company, &shipment.consignment(), now)?
        }
        None => {
            let now = local(now, standing.time_zone.as_deref());
            tariff.offer(shipment.state().service, &shipment.consignment(), &now)?
        }
    };
    let started = shipment.start_booking(Some(offer), now)?;
    let booked = book(tx, &mut shipment).await?;
    save_shipment(tx, &shipment, [started, booked]).await?;
    Ok(shipment)
}
