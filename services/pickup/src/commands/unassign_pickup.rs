//! The driver declined, dropped out or broke down on the way: the pickup waits for another one.

use quenty_kernel::{contact::Text, id::PickupId};
use quenty_platform::Tx;

use super::{lock, save};
use crate::{Error, domain::pickup::Pickup, store::pickups::Reach};

pub(crate) async fn unassign_pickup(
    tx: &mut Tx,
    reach: Reach,
    id: PickupId,
    reason: &Text<500>,
) -> Result<Pickup, Error> {
    let mut pickup = lock(tx, reach, id).await?;
    let fact = pickup.unassign(reason, tx.now())?;
    save(tx, &pickup, [fact]).await?;
    Ok(pickup)
}
