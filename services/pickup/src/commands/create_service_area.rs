//! An operator opens a service area.

use quenty_kernel::id::ServiceAreaId;
use quenty_platform::Tx;

use crate::{
    Error,
    domain::service_area::{AreaDefinition, ServiceArea},
    store,
};

pub(crate) async fn create_service_area(
    tx: &mut Tx,
    definition: AreaDefinition,
) -> Result<ServiceArea, Error> {
    let (area, fact) = ServiceArea::create(ServiceAreaId::new(), definition.checked()?, tx.now());
    store::service_areas::save(tx.conn(), &area).await?;
    tx.record(area.id, None, &fact)?;
    Ok(area)
}
