//! The parcels are handed over.

use jiff::Timestamp;
use quenty_kernel::id::PickupId;
use quenty_platform::Tx;

use super::{lock, save};
use crate::{
    Error,
    domain::pickup::{HandOver, Pickup},
    store::pickups::Reach,
};

pub(crate) async fn complete_pickup(
    tx: &mut Tx,
    reach: Reach,
    id: PickupId,
    at: Option<Timestamp>,
    hand_over: HandOver,
) -> Result<Pickup, Error> {
    let mut pickup = lock(tx, reach, id).await?;
    let facts = pickup.complete(at, hand_over, tx.now())?;
    save(tx, &pickup, facts).await?;
    Ok(pickup)
}
