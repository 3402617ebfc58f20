//! A dispatcher changes what is kept of a driver. Stops that were given stay with an inactive driver.

use quenty_kernel::id::DriverId;
use quenty_platform::{Tx, http::IfMatch};

use super::create_driver::require_vehicle;
use crate::{
    Error,
    domain::driver::{Driver, DriverProfile},
    store,
};

/// `change` makes the new profile of the present one.
pub(crate) async fn update_driver(
    tx: &mut Tx,
    id: DriverId,
    seen: IfMatch,
    change: impl FnOnce(DriverProfile) -> DriverProfile,
) -> Result<Driver, Error> {
    let mut driver = store::drivers::lock(tx.conn(), id).await?.ok_or(Error::NotFound("driver"))?;
    seen.check(driver.version)?;
    let profile = change(driver.profile.clone());
    require_vehicle(tx, profile.vehicle_id).await?;
    let fact = driver.update(profile, tx.now());
    store::drivers::save(tx.conn(), &driver).await?;
    tx.record_about(driver.id, driver.user_id.uuid(), None, &fact)?;
    Ok(driver)
}
