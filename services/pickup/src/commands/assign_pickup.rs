//! A dispatcher gives a stop to a driver.

use quenty_kernel::id::{DriverId, PickupId};
use quenty_platform::Tx;

use super::{lock, save};
use crate::{
    Error,
    domain::pickup::Pickup,
    store::{self, pickups::Reach},
};

pub(crate) async fn assign_pickup(
    tx: &mut Tx,
    reach: Reach,
    id: PickupId,
    driver: DriverId,
) -> Result<Pickup, Error> {
    let mut pickup = lock(tx, reach, id).await?;
    let driver = store::drivers::lock_shared(tx.conn(), driver).await?.ok_or(Error::NotFound("driver"))?;
    if !driver.is_active() {
        return Err(Error::DriverInactive);
    }
    if let Some(vehicle) = driver.profile.vehicle_id {
        let vehicle = store::vehicles::find(tx.conn(), vehicle).await?.ok_or(Error::NotFound("vehicle"))?;
        if !vehicle.carries(&pickup.request.parcels) {
            return Err(Error::VehicleTooSmall);
        }
    }
    let fact = pickup.assign(driver.id, tx.now())?;
    save(tx, &pickup, [fact]).await?;
    Ok(pickup)
}
