use quenty_kernel::Scope;
use quenty_platform::Tx;

use super::{ensure_warehouses::ensure_warehouses, post::post};
use crate::{
    Error,
    domain::stock::{ManualMovement, Movement},
    store,
};

/// Posts one movement that a person recorded. Locks stock: call it last in the transaction.
///
/// # Errors
/// [`crate::domain::stock::StockError`]: unknown product or warehouse, not that much available there, a rule of the kind.
pub(crate) async fn record_movement(
    tx: &mut Tx,
    scope: Scope,
    movement: &ManualMovement,
) -> Result<Movement, Error> {
    let place = &movement.place;
    let mut stock = store::stock::lock(tx.conn(), scope, &[place.product_id].into()).await?;
    let company = stock.company_of(place.product_id)?;
    ensure_warehouses(tx, company, &[place.warehouse_id].into()).await?;
    stock.record(movement)?;
    post(tx, &mut stock).await?;
    let posted = stock
        .posted()
        .first()
        .cloned()
        .ok_or_else(|| quenty_platform::Error::internal("a movement that was not posted"))?;
    tx.record(posted.id, Some(company), &posted.fact())?;
    Ok(posted)
}
