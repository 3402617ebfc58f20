use std::collections::BTreeSet;

use quenty_kernel::{
    Scope,
    contact::Text,
    id::{CompanyId, OrderId, ProductId, WarehouseId},
    money::Money,
};
use quenty_platform::Tx;

use super::{create_product::create_product, ensure_warehouses::ensure_warehouses, post::post};
use crate::{
    Error,
    domain::stock::{MovementKind, Note, Place, StockError},
    store,
};

/// A returned piece that can be sold again.
#[derive(Debug, Clone)]
pub(crate) struct Restock {
    pub(crate) company_id: CompanyId,
    /// With which it was sold.
    pub(crate) order_id: OrderId,
    /// As what it was sold.
    pub(crate) product_id: ProductId,
    pub(crate) warehouse_id: WarehouseId,
    /// That of the order, unless told.
    pub(crate) batch: Option<Text<60>>,
    pub(crate) quantity: u32,
    pub(crate) resale: Resale,
    pub(crate) note: Note,
}

/// As what a returned piece is sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resale {
    AsNew,
    /// Under a product of its own, which is made with this price, if it can be one, when the first piece comes.
    OpenBox {
        price: Money,
    },
}

/// Takes a returned piece into stock, also of a product that is sold no more. What has expired meanwhile lies under
/// its batch, of which nothing is sold.
/// Locks stock: call it last in the transaction.
///
/// # Errors
/// [`StockError`]: unknown product or warehouse.
pub(crate) async fn restock_item(tx: &mut Tx, restock: &Restock) -> Result<(), Error> {
    let Restock { company_id, product_id: sold, warehouse_id, .. } = *restock;
    ensure_warehouses(tx, company_id, &[warehouse_id].into()).await?;
    let product_id = match restock.resale {
        Resale::AsNew => sold,
        Resale::OpenBox { price } => open_box_of(tx, company_id, sold, price).await?,
    };
    let number = match &restock.batch {
        Some(number) => Some(number.clone()),
        None => store::movements::issued_batch(tx.conn(), company_id, restock.order_id, sold).await?,
    };
    let products: BTreeSet<ProductId> = [sold, product_id].into();
    let mut stock = store::stock::lock(tx.conn(), Scope::Company(company_id), &products).await?;
    // What is sold as open box goes bad no later.
    let batch = number.map(|number| stock.batch_of(sold, number));
    let place = Place { product_id, warehouse_id, batch };
    stock.arrive(MovementKind::Return, &place, restock.quantity, &restock.note)?;
    post(tx, &mut stock).await?;
    for movement in stock.posted() {
        tx.record(movement.id, Some(company_id), &movement.fact())?;
    }
    Ok(())
}

/// The product under which opened pieces of another are sold. Two of them may come back at once: the lock of the
/// product that was sold lets the second one find what the first has made.
async fn open_box_of(
    tx: &mut Tx,
    company: CompanyId,
    sold: ProductId,
    price: Money,
) -> Result<ProductId, Error> {
    let product = store::products::lock(tx.conn(), Scope::Company(company), sold)
        .await?
        .ok_or(StockError::UnknownProduct(sold))?;
    if product.is_open_box() {
        return Ok(sold);
    }
    let sku = product.open_box_sku().map_err(quenty_platform::Error::internal)?;
    let known = store::products::named(&mut *tx.conn(), company, &[], &[sku.as_str().to_owned()]).await?;
    if let Some(known) = known.first() {
        return Ok(known.id());
    }
    let details = product.open_box_details(price).map_err(quenty_platform::Error::internal)?;
    Ok(create_product(tx, company, sku, details).await?.id())
}
