use std::collections::BTreeSet;

use quenty_kernel::{
    contact::Text,
    id::{CompanyId, MovementId, ProductId, WarehouseId},
    money::Money,
};
use quenty_platform::Tx;

use super::post::post;
use crate::{
    Error,
    domain::stock::{Batch, MovementKind, Note, Place, StockError},
    store,
};

/// Goods that came in.
#[derive(Debug, Clone)]
pub(crate) struct Receipt {
    pub(crate) product_id: ProductId,
    pub(crate) warehouse_id: WarehouseId,
    pub(crate) batch: Option<Batch>,
    pub(crate) quantity: u32,
    pub(crate) unit_cost: Option<Money>,
    pub(crate) reference: Option<Text<120>>,
}

/// Takes goods into stock, many at once. Locks stock: call it last in the transaction.
///
/// # Errors
/// [`StockError`]: an unknown product or warehouse, a batch with another expiry date.
pub(crate) async fn receive_stock(
    tx: &mut Tx,
    company: CompanyId,
    receipts: &[Receipt],
) -> Result<Vec<MovementId>, Error> {
    let warehouses: BTreeSet<_> = receipts.iter().map(|receipt| receipt.warehouse_id).collect();
    ensure_warehouses(tx, company, &warehouses).await?;
    let products = receipts.iter().map(|receipt| receipt.product_id).collect();
    let mut stock = store::stock::lock(tx.conn(), quenty_kernel::Scope::Company(company), &products).await?;
    for receipt in receipts {
        let place = Place {
            product_id: receipt.product_id,
            warehouse_id: receipt.warehouse_id,
            batch: receipt.batch.clone(),
        };
        let note =
            Note { reference: receipt.reference.clone(), unit_cost: receipt.unit_cost, ..Note::default() };
        stock.put(MovementKind::Receipt, &place, receipt.quantity, &note)?;
    }
    post(tx, &mut stock).await?;
    for movement in stock.posted() {
        tx.record(movement.id, Some(company), &movement.fact())?;
    }
    Ok(stock.posted().iter().map(|movement| movement.id).collect())
}

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
