//! A dispatcher adds a vehicle.

use quenty_kernel::id::VehicleId;
use quenty_platform::Tx;

use crate::{
    Error,
    domain::vehicle::{Vehicle, VehicleCreated},
    store,
};

pub(crate) async fn create_vehicle(tx: &mut Tx, created: VehicleCreated) -> Result<Vehicle, Error> {
    let (vehicle, fact) = Vehicle::create(VehicleId::new(), created, tx.now());
    store::vehicles::insert(tx.conn(), &vehicle).await?;
    tx.record(vehicle.id, None, &fact)?;
    Ok(vehicle)
}
