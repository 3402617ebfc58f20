use std::collections::BTreeSet;

use quenty_kernel::id::{CompanyId, WarehouseId};
use quenty_platform::Tx;

use crate::{Error, domain::stock::StockError, store};

/// That all of them are the company's.
pub(super) async fn ensure_warehouses(
    tx: &mut Tx,
    company: CompanyId,
    warehouses: &BTreeSet<WarehouseId>,
) -> Result<(), Error> {
    let known = store::warehouses::known(tx.conn(), company, warehouses).await?;
    match warehouses.difference(&known).next() {
        Some(unknown) => Err(StockError::UnknownWarehouse(*unknown).into()),
        None => Ok(()),
    }
}
