//! Nobody shall come.

use quenty_kernel::id::PickupId;
use quenty_platform::Tx;

use super::{lock, release_lost, save};
use crate::{
    Error,
    domain::pickup::{Pickup, PickupFact},
    store::pickups::Reach,
};

pub(crate) async fn cancel_pickup(
    tx: &mut Tx,
    reach: Reach,
    id: PickupId,
    reason: &str,
) -> Result<Pickup, Error> {
    let now = tx.now();
    let mut pickup = lock(tx, reach, id).await?;
    let held = pickup.slot_start;
    // A cancellation ends the guarantee; one that was broken before still counts.
    let mut facts: Vec<PickupFact> = pickup.miss_express(now).into_iter().collect();
    facts.push(pickup.cancel(reason, now)?);
    save(tx, &pickup, facts).await?;
    release_lost(tx, &pickup, held).await?;
    Ok(pickup)
}
