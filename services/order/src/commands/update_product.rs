use quenty_kernel::{Scope, id::ProductId};
use quenty_platform::{Tx, http::IfMatch};

use super::post::tell_alarms;
use crate::{
    Error,
    domain::product::{Product, ProductChanges, ProductError},
    store,
};

/// Changes what a merchant says of a product. Another reorder point may make its stock low at once.
///
/// # Errors
/// [`ProductError`]; 412 when it has another version than `seen`.
pub(crate) async fn update_product(
    tx: &mut Tx,
    scope: Scope,
    id: ProductId,
    seen: IfMatch,
    changes: ProductChanges,
) -> Result<Product, Error> {
    let mut product = store::products::lock(tx.conn(), scope, id).await?.ok_or(ProductError::NotFound)?;
    seen.check(product.version())?;
    let reorder_point = product.details().reorder_point;
    let Some(fact) = product.update(changes, tx.now())? else { return Ok(product) };
    store::products::save(tx.conn(), &product).await?;
    tx.record(id, Some(product.company_id()), &fact)?;
    if product.details().reorder_point == reorder_point {
        return Ok(product);
    }
    store::stock::set_reorder_point(tx.conn(), id, product.details().reorder_point).await?;
    let mut stock = store::stock::lock(tx.conn(), scope, &[id].into()).await?;
    tell_alarms(tx, &mut stock).await?;
    store::products::find(tx.conn(), scope, id).await?.ok_or_else(|| ProductError::NotFound.into())
}
