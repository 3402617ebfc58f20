//! Nobody shall come.

use quenty_kernel::id::PickupId;
use quenty_platform::Tx;

use super::{lock, release_lost, save};
use crate::{Error, domain::pickup::Pickup, store::pickups::Reach};

pub(crate) async fn cancel_pickup(
    tx: &mut Tx,
    reach: Reach,
    id: PickupId,
    reason: &str,
) -> Result<Pickup, Error> {
    let mut pickup = lock(tx, reach, id).await?;
    let held = pickup.slot_start;
    let fact = pickup.cancel(reason, tx.now())?;
    save(tx, &pickup, [fact]).await?;
    release_lost(tx, &pickup, held).await?;
    Ok(pickup)
}
