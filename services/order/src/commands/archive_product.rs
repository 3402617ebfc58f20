use quenty_kernel::{Scope, id::ProductId};
use quenty_platform::{Tx, http::IfMatch};

use crate::{Error, domain::product::ProductError, store};

/// Takes a product off sale. Its stock, its orders and its SKU stay; archiving it again changes nothing.
///
/// # Errors
/// [`ProductError::NotFound`]; 412 when it has another version than `seen`.
pub(crate) async fn archive_product(
    tx: &mut Tx,
    scope: Scope,
    id: ProductId,
    seen: IfMatch,
) -> Result<(), Error> {
    let mut product = store::products::lock(tx.conn(), scope, id).await?.ok_or(ProductError::NotFound)?;
    seen.check(product.version())?;
    if let Some(fact) = product.archive(tx.now()) {
        store::products::save(tx.conn(), &product).await?;
        tx.record(id, Some(product.company_id()), &fact)?;
    }
    Ok(())
}
