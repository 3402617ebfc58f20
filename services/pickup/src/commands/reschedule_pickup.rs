//! Another window for a pickup that has not begun.

use quenty_kernel::id::PickupId;
use quenty_platform::Tx;

use super::{lock, placing, save};
use crate::{
    Error,
    domain::{
        booking::{PickupKind, Unbookable, Wanted},
        pickup::{Pickup, RescheduledBy, Status},
    },
    store::{self, pickups::Reach},
};

/// Takes a place in the slot that is wanted, else in the first with room, and gives the old one back. What was to come at
/// once comes within a slot then, and costs a merchant no more than that, as if it had been cancelled and booked anew.
pub(crate) async fn reschedule_pickup(
    tx: &mut Tx,
    reach: Reach,
    id: PickupId,
    wanted: &Wanted,
    by: RescheduledBy,
) -> Result<Pickup, Error> {
    let now = tx.now();
    let mut pickup = lock(tx, reach, id).await?;
    // Whoever finds the window that we did not find spends none of the two.
    let by = match by {
        RescheduledBy::Merchant if pickup.status == Status::Failed => RescheduledBy::AfterFailure,
        by => by,
    };
    pickup.check_reschedule(by, now)?;
    let area = pickup.promise.as_ref().map(|promise| promise.area_id).ok_or(Unbookable::NoServiceArea)?;
    let area = store::service_areas::lock_shared(tx.conn(), area).await?.ok_or(Unbookable::NoServiceArea)?;
    let candidates = area.definition.candidates(PickupKind::Scheduled, wanted, now)?;
    let candidates = placing::with_room(tx.conn(), &area, candidates, pickup.slot_start, now).await?;
    let taken = placing::take_first(tx.conn(), &area, &candidates, pickup.slot_start, now).await?;
    let window = taken.ok_or(Unbookable::NoCapacity)?.window;
    // A merchant's new window ends the guarantee. One that is over, and of which no driver may tell any more, was broken.
    let missed = if by == RescheduledBy::Merchant { pickup.miss_express(now) } else { None };
    let cost = pickup.cost_once_moved(by, &area.definition.fees);
    let moved = pickup.reschedule(window, cost, by, now)?;
    save(tx, &pickup, missed.into_iter().chain([moved])).await?;
    Ok(pickup)
}
