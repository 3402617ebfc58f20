//! Order tells what kind of goods a product is.

use quenty_contracts::order::{ProductCreated, ProductUpdated};
use quenty_kernel::contact::Text;
use quenty_platform::{Received, Tx};

use crate::{Error, store::neighbours::keep_product};

pub(super) async fn on_created(tx: &mut Tx, event: Received<ProductCreated>) -> Result<(), Error> {
    let of = event.data;
    let category = of.category.as_ref().map(Text::as_str);
    Ok(keep_product(tx.conn(), of.company_id, of.product_id, category).await?)
}

pub(super) async fn on_updated(tx: &mut Tx, event: Received<ProductUpdated>) -> Result<(), Error> {
    let of = event.data;
    let category = of.category.as_ref().map(Text::as_str);
    Ok(keep_product(tx.conn(), of.company_id, of.product_id, category).await?)
}
