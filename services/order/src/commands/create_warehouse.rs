use quenty_kernel::id::CompanyId;
use quenty_platform::Tx;

use super::update_warehouse::{hand_over, refused};
use crate::{
    Error,
    domain::warehouse::{Warehouse, WarehouseDetails},
    store,
};

/// Adds a warehouse. The first one is the default whatever is wished; a later one that wishes it takes over.
///
/// # Errors
/// [`crate::domain::warehouse::WarehouseError`]: the name is taken, or two became the default at once.
pub(crate) async fn create_warehouse(
    tx: &mut Tx,
    company: CompanyId,
    details: WarehouseDetails,
) -> Result<Warehouse, Error> {
    let old_default = store::warehouses::lock_with_default(tx.conn(), company, None).await?.pop();
    let is_default = details.is_default || old_default.is_none();
    if let Some(old_default) = old_default.filter(|_| is_default) {
        hand_over(tx, old_default).await?;
    }
    let (warehouse, fact) = Warehouse::create(company, WarehouseDetails { is_default, ..details }, tx.now());
    store::warehouses::insert(tx.conn(), &warehouse).await.map_err(refused)?;
    tx.record(warehouse.id(), Some(company), &fact)?;
    Ok(warehouse)
}
