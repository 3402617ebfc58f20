//! Nothing was handed over: the next slot with room is taken for another attempt, until there were three. To a wrong
//! address nobody drives again by themselves.

use jiff::Timestamp;
use quenty_kernel::{contact::Text, geo::GeoPoint, id::PickupId};
use quenty_platform::Tx;

use super::{lock, placing, release_lost, save};
use crate::{
    Error,
    domain::{
        booking::{PickupKind, Wanted},
        pickup::{FailureCode, Pickup, PickupFact, RescheduledBy},
    },
    store::{self, pickups::Reach},
};

/// Why an attempt failed, as the driver reports it.
#[derive(Debug, Clone)]
pub(crate) struct Failed {
    pub(crate) code: FailureCode,
    pub(crate) detail: Option<Text<500>>,
    pub(crate) position: Option<GeoPoint>,
    /// When, where that is told late.
    pub(crate) at: Option<Timestamp>,
}

pub(crate) async fn fail_pickup(
    tx: &mut Tx,
    reach: Reach,
    id: PickupId,
    failed: Failed,
) -> Result<Pickup, Error> {
    let now = tx.now();
    let mut pickup = lock(tx, reach, id).await?;
    let held = pickup.slot_start;
    let mut facts = pickup.fail(failed.code, failed.detail, failed.position, failed.at, now)?;
    if pickup.is_exhausted() {
        facts.push(pickup.abandon(now)?);
        release_lost(tx, &pickup, held).await?;
    } else if failed.code == FailureCode::WrongAddress {
        release_lost(tx, &pickup, held).await?;
    } else {
        facts.extend(next_attempt(tx, &mut pickup, held).await?);
    }
    save(tx, &pickup, facts).await?;
    Ok(pickup)
}

/// Gives back the place `held` for one in a later slot, and in none before the window: the goods may not be there yet.
/// Without room in the days ahead the pickup stays failed, for a person to decide.
async fn next_attempt(
    tx: &mut Tx,
    pickup: &mut Pickup,
    held: Option<Timestamp>,
) -> Result<Option<PickupFact>, Error> {
    let now = tx.now();
    let Some((area, window)) = pickup.promise.as_ref().map(|promise| (promise.area_id, promise.window))
    else {
        return Ok(None);
    };
    let area =
        store::service_areas::lock_shared(tx.conn(), area).await?.ok_or(Error::NotFound("service area"))?;
    let from = now.max(window.start);
    let candidates = area.definition.candidates(PickupKind::Scheduled, &Wanted::default(), from)?;
    let candidates = placing::with_room(tx.conn(), &area, candidates, held, now).await?;
    let taken = placing::take_first(tx.conn(), &area, &candidates, held, now).await?;
    Ok(taken
        .map(|taken| pickup.reschedule(taken.window, None, RescheduledBy::AfterFailure, now))
        .transpose()?)
}
