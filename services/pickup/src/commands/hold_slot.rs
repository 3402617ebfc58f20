//! A merchant keeps a place while making up their mind.

use jiff::SignedDuration;
use quenty_kernel::id::{CompanyId, PickupId};
use quenty_platform::Tx;

use super::placing;
use crate::{
    Error,
    domain::{
        booking::{PickupKind, Unbookable, Wanted},
        service_area::{Place, ServiceArea},
        timetable::Candidate,
    },
    store::{self, slots::Hold},
};

const HELD_FOR: SignedDuration = SignedDuration::from_mins(10);
/// So that nobody keeps everyone else's places from them.
const MAX_HOLDS: i64 = 20;

/// Holds the slot that is wanted. A hold is no fact: it moves nothing and ends by itself, by business time.
pub(crate) async fn hold_slot(
    tx: &mut Tx,
    company: CompanyId,
    place: &Place,
    wanted: &Wanted,
) -> Result<(ServiceArea, Hold), Error> {
    let now = tx.now();
    if store::slots::count_holds(tx.conn(), company, now).await? >= MAX_HOLDS {
        return Err(Error::TooManyHolds);
    }
    let area = placing::area_of(tx, place).await?;
    // More than one where clocks repeat an hour.
    for Candidate { slot, .. } in area.definition.candidates(PickupKind::Scheduled, wanted, now)? {
        let hold = Hold { pickup_id: PickupId::new(), area_id: area.id, slot, expires_at: now + HELD_FOR };
        if store::slots::hold(tx.conn(), &area, company, &hold, now).await? {
            return Ok((area, hold));
        }
    }
    Err(Unbookable::NoCapacity.into())
}
