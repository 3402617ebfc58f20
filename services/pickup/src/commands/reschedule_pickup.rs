//! Another window for a pickup that has not begun.

use quenty_kernel::id::PickupId;
use quenty_platform::Tx;

use super::{lock, placing, save};
use crate::{
    Error,
    domain::{
        booking::{PickupKind, Unbookable, Wanted},
        pickup::{Pickup, PickupFact, RescheduledBy},
    },
    store::{self, pickups::Reach},
};

/// Takes a place in the slot that is wanted, else in the first with room, and gives the old one back.
pub(crate) async fn reschedule_pickup(
    tx: &mut Tx,
    reach: Reach,
    id: PickupId,
    wanted: &Wanted,
    by: RescheduledBy,
) -> Result<Pickup, Error> {
    let now = tx.now();
    let mut pickup = lock(tx, reach, id).await?;
    pickup.check_reschedule(by)?;
    let area = pickup.promise.as_ref().map(|promise| promise.area_id).ok_or(Unbookable::NoServiceArea)?;
    let area = store::service_areas::find(tx.conn(), area).await?.ok_or(Unbookable::NoServiceArea)?;
    let candidates = area.definition.candidates(PickupKind::Scheduled, wanted, now)?;
    let candidates = placing::with_room(tx.conn(), &area, candidates, now).await?;
    let taken = placing::take_first(tx.conn(), &area, &candidates, pickup.slot_start, now).await?;
    let window = taken.ok_or(Unbookable::NoCapacity)?.window;
    // A merchant's new window ends the guarantee; one that was broken before still counts.
    let mut facts: Vec<PickupFact> = pickup.miss_express(now).into_iter().collect();
    facts.push(pickup.reschedule(window, by, now)?);
    save(tx, &pickup, facts).await?;
    Ok(pickup)
}
