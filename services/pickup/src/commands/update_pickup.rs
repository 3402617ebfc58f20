//! Somebody else hands the parcels over.

use quenty_kernel::id::PickupId;
use quenty_platform::{Tx, http::IfMatch};

use super::{lock, save};
use crate::{
    Error,
    domain::pickup::{ContactChange, Pickup},
    store::pickups::Reach,
};

pub(crate) async fn update_pickup(
    tx: &mut Tx,
    reach: Reach,
    id: PickupId,
    seen: IfMatch,
    change: ContactChange,
) -> Result<Pickup, Error> {
    let mut pickup = lock(tx, reach, id).await?;
    seen.check(pickup.version)?;
    let fact = pickup.update(change, tx.now())?;
    save(tx, &pickup, [fact]).await?;
    Ok(pickup)
}
