use jiff::{Zoned, civil::Date};
use quenty_kernel::id::{CompanyId, ShipmentId, new_uuid};
use quenty_platform::Tx;
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    domain::{
        rules::{Refusal, Standing, Tariff},
        shipment::{Shipment, Status},
        tariff::{Offer, local, not_before},
    },
    store, tasks,
};

use super::{Asker, NewShipment, Request, book, create_shipment, save_shipment, tariff_of};

/// What the task that decides a booking has to know.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PendingBooking {
    pub shipment_id: ShipmentId,
    pub company_id: CompanyId,
}

/// Answers an order's or a return's request: books it, rejects it, or first asks Customer about the company's
/// standing. The same request again is told its answer again, while that is true, or asks for one once more. An order or a
/// return whose buyer is erased has ended, and waits for no answer.
pub async fn request_shipment(tx: &mut Tx, new: NewShipment) -> Result<(), Error> {
    let Some(Request { asker, attempt, ready_on }) = new.request else { return Ok(()) };
    let is_erased = match asker {
        Asker::Order(id) => tx.is_erased(id).await?,
        Asker::Return(id) => tx.is_erased(id).await?,
    };
    if is_erased {
        return Ok(());
    }
    let earlier = match asker {
        Asker::Order(id) => store::shipments::lock_of_order(tx.conn(), id).await?,
        Asker::Return(id) => store::shipments::lock_of_return(tx.conn(), id).await?,
    };
    if let Some(known) = earlier.into_iter().find(|shipment| shipment.state().attempt == attempt) {
        return answer_again(tx, known).await;
    }
    match asker {
        Asker::Order(id) if store::neighbours::is_cancelled(tx.conn(), id).await? => refuse(tx, new).await,
        // Its answer was told when it was given up.
        Asker::Return(id)
            if store::neighbours::is_return_request_cancelled(tx.conn(), id, attempt).await? =>
        {
            Ok(())
        }
        Asker::Order(_) | Asker::Return(_) => decide(tx, new, ready_on).await,
    }
}

async fn answer_again(tx: &mut Tx, mut shipment: Shipment) -> Result<(), Error> {
    if shipment.state().status == Status::Booking {
        return ask(tx, &shipment);
    }
    let now = tx.now();
    let Some(told) = shipment.answer_again(now) else { return Ok(()) };
    let departed = shipment.tell_departed(now);
    save_shipment(tx, &shipment, [told].into_iter().chain(departed)).await
}

async fn refuse(tx: &mut Tx, new: NewShipment) -> Result<(), Error> {
    let mut shipment = create_shipment(tx, new).await?;
    let voided = shipment.void("the order was cancelled", tx.now())?;
    save_shipment(tx, &shipment, [voided]).await
}

async fn decide(tx: &mut Tx, new: NewShipment, ready_on: Option<Date>) -> Result<(), Error> {
    let mut shipment = create_shipment(tx, new).await?;
    let now = tx.now();
    let tariff = tariff_of(tx, &shipment).await?;
    let standing = store::neighbours::find_standing(tx.conn(), shipment.state().company_id).await?;
    let there = local(now, standing.as_ref().and_then(|standing| standing.time_zone.as_deref()));
    let offer = match offer(&tariff, &shipment, &not_before(ready_on, there)) {
        Ok(offer) => offer,
        Err(refusal) => {
            let started = shipment.start_booking(None, now)?;
            let rejected = shipment.reject(&refusal, now)?;
            return save_shipment(tx, &shipment, [started, rejected]).await;
        }
    };
    let started = shipment.start_booking(Some(offer), now)?;
    if may_book_now(&shipment, standing.as_ref()) {
        let booked = book(tx, &mut shipment).await?;
        return save_shipment(tx, &shipment, [started, booked]).await;
    }
    ask(tx, &shipment)?;
    save_shipment(tx, &shipment, [started]).await
}

fn offer(tariff: &Tariff, shipment: &Shipment, from: &Zoned) -> Result<Offer, Refusal> {
    shipment.check_printable()?;
    tariff.offer(shipment.state().service, &shipment.consignment(), from)
}

/// Every time under another key: the task of an earlier request may be dead. Who comes second finds nothing to decide.
fn ask(tx: &mut Tx, shipment: &Shipment) -> Result<(), Error> {
    let (shipment_id, company_id) = (shipment.state().id, shipment.state().company_id);
    let key = format!("{shipment_id}/{}", new_uuid());
    let pending = PendingBooking { shipment_id, company_id };
    tx.enqueue(tasks::DECIDE_BOOKING, key, Some(company_id), &pending)?;
    Ok(())
}

/// At home Order has checked the company when it took the order, whose goods may also come back. Across a border only
/// a standing that permits it will do: one that does not may have changed without our having heard yet, so that
/// Customer is asked.
fn may_book_now(shipment: &Shipment, standing: Option<&Standing>) -> bool {
    let may = |standing: &Standing| standing.permits(shipment.state().is_export()).is_ok();
    !shipment.state().international || standing.is_some_and(may)
}
