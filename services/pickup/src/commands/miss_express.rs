//! The deadline of an express guarantee: who was not collected by then gets the fee back.

use quenty_kernel::id::PickupId;
use quenty_platform::Tx;

use super::{lock, save};
use crate::{Error, store::pickups::Reach};

pub(crate) async fn miss_express(tx: &mut Tx, id: PickupId) -> Result<(), Error> {
    let mut pickup = lock(tx, Reach::PLATFORM, id).await?;
    if let Some(fact) = pickup.miss_express(tx.now()) {
        save(tx, &pickup, [fact]).await?;
    }
    Ok(())
}
