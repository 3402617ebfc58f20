//! The driver starts towards the stop; from here on it cannot be cancelled.

use quenty_kernel::id::PickupId;
use quenty_platform::Tx;

use super::{lock, save};
use crate::{Error, domain::pickup::Pickup, store::pickups::Reach};

pub(crate) async fn start_pickup(tx: &mut Tx, reach: Reach, id: PickupId) -> Result<Pickup, Error> {
    let mut pickup = lock(tx, reach, id).await?;
    let fact = pickup.start(tx.now())?;
    save(tx, &pickup, [fact]).await?;
    Ok(pickup)
}
