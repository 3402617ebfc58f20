use quenty_kernel::id::CompanyId;
use quenty_platform::Tx;

use crate::{
    Error,
    domain::product::{Product, ProductDetails, ProductError, Sku},
    store,
};

/// Adds a product to the company's catalogue.
///
/// # Errors
/// [`ProductError::SkuTaken`], also by an archived product.
pub(crate) async fn create_product(
    tx: &mut Tx,
    company: CompanyId,
    sku: Sku,
    details: ProductDetails,
) -> Result<Product, Error> {
    let (product, fact) = Product::create(company, sku, details, tx.now())?;
    store::products::insert(tx.conn(), &product).await.map_err(|error| {
        match error.violated_constraint() {
            Some("products_sku") => Error::from(ProductError::SkuTaken),
            _ => error.into(),
        }
    })?;
    tx.record(product.id(), Some(company), &fact)?;
    Ok(product)
}
