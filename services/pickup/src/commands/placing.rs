//! Finding a promise that can be kept, and taking its place.

use jiff::Timestamp;
use quenty_kernel::id::PickupId;
use quenty_platform::Tx;
use sqlx::{PgConnection, PgExecutor};

use crate::{
    Error,
    domain::{
        booking::{BookingRequest, Placement, Unbookable},
        service_area::{Place, ServiceArea},
        timetable::{Candidate, Window},
    },
    store,
};

/// Takes a place for a new pickup: the one that a hold kept, or the first that fits the request.
pub(super) async fn place(
    tx: &mut Tx,
    request: &BookingRequest,
    hold: Option<PickupId>,
) -> Result<Placement, Error> {
    let now = tx.now();
    let area = area_of(tx, &Place::from(&request.contact.address)).await?;
    // The price first: what cannot be paid for must not lock a slot.
    let cost = area.definition.fees.price(&request.priced())?;
    let candidates = match hold {
        Some(hold) => vec![held(tx, request, &area, hold).await?],
        None => {
            let candidates = area.definition.candidates(request.kind, &request.wanted, now)?;
            with_room(tx.conn(), &area, candidates, None, now).await?
        }
    };
    let taken = take_first(tx.conn(), &area, &candidates, None, now).await?.ok_or(Unbookable::NoCapacity)?;
    Ok(Placement { area, window: taken.window, slot_start: taken.slot.start, cost })
}

/// The area that serves the place, whose timetable stays as it is until this transaction ends: under two of them at once
/// nobody would see the place that the other one takes.
pub(super) async fn area_of(tx: &mut Tx, place: &Place) -> Result<ServiceArea, Error> {
    let found = store::service_areas::locate(tx.conn(), place).await?.ok_or(Unbookable::NoServiceArea)?;
    let area = store::service_areas::lock_shared(tx.conn(), found.id).await?;
    Ok(area.filter(|area| area.definition.active).ok_or(Unbookable::NoServiceArea)?)
}

async fn held(
    tx: &mut Tx,
    request: &BookingRequest,
    area: &ServiceArea,
    hold: PickupId,
) -> Result<Candidate, Error> {
    let now = tx.now();
    let claimed = store::slots::claim_hold(tx.conn(), request.company_id, hold, now).await?;
    let hold = claimed.filter(|hold| hold.area_id == area.id).ok_or(Error::HoldNotUsable)?;
    Ok(Candidate { window: hold.slot, slot: hold.slot })
}

/// The candidates whose slot has room, the place `released` given back, as far as can be seen without a lock: a full week is
/// read, not locked.
pub(crate) async fn with_room(
    db: impl PgExecutor<'_>,
    area: &ServiceArea,
    mut candidates: Vec<Candidate>,
    released: Option<Timestamp>,
    now: Timestamp,
) -> Result<Vec<Candidate>, Error> {
    let (Some(first), Some(last)) = (candidates.first(), candidates.last()) else { return Ok(candidates) };
    let span = Window { start: first.slot.start, end: last.slot.end };
    let occupied = store::slots::occupied(db, area.id, span, released, now).await?;
    let capacity = i64::from(area.definition.capacity_per_slot.get());
    candidates.retain(|candidate| occupied.places_in(candidate.slot) < capacity);
    Ok(candidates)
}

/// Takes a place in the first candidate that has one, and gives back the place `released`, which keeps nobody from a slot that
/// it overlaps. The candidates are in the order of their slots, and `released` is locked in its turn among them.
pub(super) async fn take_first(
    connection: &mut PgConnection,
    area: &ServiceArea,
    candidates: &[Candidate],
    mut released: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<Candidate>, Error> {
    let mut taken = None;
    for candidate in candidates {
        if let Some(slot_start) = released.take_if(|start| *start <= candidate.slot.start) {
            store::slots::release(connection, area.id, slot_start).await?;
        }
        if store::slots::take(connection, area, candidate.slot, released, now).await? {
            taken = Some(*candidate);
            break;
        }
    }
    if let Some(slot_start) = released {
        store::slots::release(connection, area.id, slot_start).await?;
    }
    Ok(taken)
}
