//! A dispatcher makes a user a driver.

use quenty_kernel::id::{DriverId, UserId, VehicleId};
use quenty_platform::Tx;

use crate::{
    Error,
    domain::driver::{Driver, DriverProfile},
    store,
};

pub(crate) async fn create_driver(
    tx: &mut Tx,
    user: UserId,
    profile: DriverProfile,
) -> Result<Driver, Error> {
    require_vehicle(tx, profile.vehicle_id).await?;
    let (driver, fact) = Driver::create(DriverId::new(), user, profile, tx.now());
    store::drivers::save(tx.conn(), &driver).await.map_err(user_taken)?;
    tx.record_about(driver.id, user.uuid(), None, &fact)?;
    Ok(driver)
}

pub(super) async fn require_vehicle(tx: &mut Tx, vehicle: Option<VehicleId>) -> Result<(), Error> {
    if let Some(id) = vehicle {
        store::vehicles::find(tx.conn(), id).await?.ok_or(Error::NotFound("vehicle"))?;
    }
    Ok(())
}

fn user_taken(error: quenty_platform::Error) -> Error {
    match error.violated_constraint() {
        Some("drivers_one_per_user") => Error::UserDrivesAlready,
        _ => Error::Platform(error),
    }
}
