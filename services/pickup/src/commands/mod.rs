//! What can be done: load and lock, decide, save, record. Never commits.

pub(crate) mod answer_cancel_request;
pub(crate) mod arrive_at_pickup;
pub(crate) mod assign_pickup;
pub(crate) mod cancel_pickup;
pub(crate) mod close_company;
pub(crate) mod complete_pickup;
pub(crate) mod create_driver;
pub(crate) mod create_pickup;
pub(crate) mod create_service_area;
pub(crate) mod create_vehicle;
pub(crate) mod erase_person;
pub(crate) mod fail_pickup;
pub(crate) mod hold_slot;
pub(crate) mod miss_express;
pub(crate) mod placing;
pub(crate) mod request_pickup;
pub(crate) mod reschedule_pickup;
pub(crate) mod start_pickup;
pub(crate) mod unassign_pickup;
pub(crate) mod update_driver;
pub(crate) mod update_pickup;
pub(crate) mod update_service_area;

pub(crate) use answer_cancel_request::answer_cancel_request;
pub(crate) use arrive_at_pickup::arrive_at_pickup;
pub(crate) use assign_pickup::assign_pickup;
pub(crate) use cancel_pickup::cancel_pickup;
pub(crate) use close_company::close_company;
pub(crate) use complete_pickup::complete_pickup;
pub(crate) use create_driver::create_driver;
pub(crate) use create_pickup::create_pickup;
pub(crate) use create_service_area::create_service_area;
pub(crate) use create_vehicle::create_vehicle;
pub(crate) use erase_person::erase_person;
pub(crate) use fail_pickup::fail_pickup;
pub(crate) use hold_slot::hold_slot;
pub(crate) use miss_express::miss_express;
pub(crate) use request_pickup::request_pickup;
pub(crate) use reschedule_pickup::reschedule_pickup;
pub(crate) use start_pickup::start_pickup;
pub(crate) use unassign_pickup::unassign_pickup;
pub(crate) use update_driver::update_driver;
pub(crate) use update_pickup::update_pickup;
pub(crate) use update_service_area::update_service_area;

use jiff::Timestamp;
use quenty_kernel::id::PickupId;
use quenty_platform::Tx;

use crate::{
    Error,
    domain::pickup::{Pickup, PickupFact},
    store::{self, pickups::Reach},
};

/// The row lock under which everything about a pickup is decided. It comes before any lock of a slot.
async fn lock(tx: &mut Tx, reach: Reach, id: PickupId) -> Result<Pickup, Error> {
    store::pickups::lock(tx.conn(), reach, id).await?.ok_or(Error::NotFound("pickup"))
}

/// Saves a pickup and records what happened to it.
async fn save(
    tx: &mut Tx,
    pickup: &Pickup,
    facts: impl IntoIterator<Item = PickupFact>,
) -> Result<(), Error> {
    store::pickups::save(tx.conn(), pickup).await?;
    record(tx, pickup, facts)
}

fn record(tx: &mut Tx, pickup: &Pickup, facts: impl IntoIterator<Item = PickupFact>) -> Result<(), Error> {
    for fact in facts {
        tx.record(pickup.id, Some(pickup.request.company_id), &fact)?;
    }
    Ok(())
}

/// Gives back the place that a pickup held and holds no more.
async fn release_lost(tx: &mut Tx, pickup: &Pickup, held: Option<Timestamp>) -> Result<(), Error> {
    if let (Some(promise), Some(slot_start), None) = (&pickup.promise, held, pickup.slot_start) {
        store::slots::release(tx.conn(), promise.area_id, slot_start).await?;
    }
    Ok(())
}
