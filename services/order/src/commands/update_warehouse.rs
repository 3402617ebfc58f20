use quenty_kernel::{Scope, id::WarehouseId};
use quenty_platform::{Tx, http::IfMatch};

use crate::{
    Error,
    domain::warehouse::{Warehouse, WarehouseChanges, WarehouseError},
    store,
};

/// Changes a warehouse; if it becomes the default, the old default hands over.
///
/// # Errors
/// [`WarehouseError`]; 412 when it has another version than `seen`.
pub(crate) async fn update_warehouse(
    tx: &mut Tx,
    scope: Scope,
    id: WarehouseId,
    seen: IfMatch,
    changes: WarehouseChanges,
) -> Result<Warehouse, Error> {
    let company =
        store::warehouses::find(tx.conn(), scope, id).await?.ok_or(WarehouseError::NotFound)?.company_id();
    let mut locked = store::warehouses::lock_with_default(tx.conn(), company, Some(id)).await?;
    let index = locked.iter().position(|warehouse| warehouse.id() == id).ok_or(WarehouseError::NotFound)?;
    let mut warehouse = locked.swap_remove(index);
    seen.check(warehouse.version())?;
    let Some(fact) = warehouse.update(changes, tx.now())? else { return Ok(warehouse) };
    if let Some(old_default) = locked.pop().filter(|_| warehouse.details().is_default) {
        hand_over(tx, old_default).await?;
    }
    store::warehouses::save(tx.conn(), &warehouse).await.map_err(refused)?;
    tx.record(id, Some(company), &fact)?;
    Ok(warehouse)
}

/// Ends the reign of the old default, before the new one is saved: there is never more than one.
pub(super) async fn hand_over(tx: &mut Tx, mut old_default: Warehouse) -> Result<(), Error> {
    let fact = old_default.hand_over(tx.now());
    store::warehouses::save(tx.conn(), &old_default).await?;
    tx.record(old_default.id(), Some(old_default.company_id()), &fact)?;
    Ok(())
}

pub(super) fn refused(error: quenty_platform::Error) -> Error {
    match error.violated_constraint() {
        Some("warehouses_name") => WarehouseError::NameTaken.into(),
        Some("warehouses_one_default") => WarehouseError::DefaultMoved.into(),
        _ => error.into(),
    }
}
