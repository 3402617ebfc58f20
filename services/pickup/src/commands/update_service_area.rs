//! An operator changes a service area. What was booked before stays as it was promised.

use quenty_kernel::id::ServiceAreaId;
use quenty_platform::{Tx, http::IfMatch};

use crate::{
    Error,
    domain::service_area::{AreaDefinition, ServiceArea},
    store,
};

/// `change` makes the new definition of the present one.
pub(crate) async fn update_service_area(
    tx: &mut Tx,
    id: ServiceAreaId,
    seen: IfMatch,
    change: impl FnOnce(AreaDefinition) -> Result<AreaDefinition, Error>,
) -> Result<ServiceArea, Error> {
    let mut area = store::service_areas::lock(tx.conn(), id).await?.ok_or(Error::NotFound("service area"))?;
    seen.check(area.version)?;
    let definition = change(area.definition.clone())?.checked()?;
    let fact = area.update(definition, tx.now());
    store::service_areas::save(tx.conn(), &area).await?;
    tx.record(area.id, None, &fact)?;
    Ok(area)
}
