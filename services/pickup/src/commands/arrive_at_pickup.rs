//! The driver is at the door.

use jiff::Timestamp;
use quenty_kernel::{geo::GeoPoint, id::PickupId};
use quenty_platform::Tx;

use super::{lock, save};
use crate::{Error, domain::pickup::Pickup, store::pickups::Reach};

pub(crate) async fn arrive_at_pickup(
    tx: &mut Tx,
    reach: Reach,
    id: PickupId,
    at: Option<Timestamp>,
    position: Option<GeoPoint>,
) -> Result<Pickup, Error> {
    let mut pickup = lock(tx, reach, id).await?;
    if let Some(fact) = pickup.arrive(at, position, tx.now())? {
        save(tx, &pickup, [fact]).await?;
    }
    Ok(pickup)
}
