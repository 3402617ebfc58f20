//! The queue of each product: which orders wait for it. Every change needs the lock of the product's stock.

use std::collections::BTreeSet;

use quenty_kernel::id::{OrderId, ProductId};
use quenty_platform::Result;
use sqlx::{PgConnection, PgExecutor};

use super::uuids;

/// The order waits from now on: for all of `products`, and `short` are those that keep it waiting.
pub(crate) async fn put(
    conn: &mut PgConnection,
    order: OrderId,
    products: &BTreeSet<ProductId>,
    short: &BTreeSet<ProductId>,
) -> Result<()> {
    sqlx::query!(
        "with gone as (delete from backorders where order_id = $1 and product_id <> all($2))
         insert into backorders (product_id, order_id, is_short)
         select product_id, $1, product_id = any($3) from unnest($2::uuid[]) as product_id
         on conflict (product_id, order_id) do update set is_short = excluded.is_short",
        order.uuid(),
        &uuids(products),
        &uuids(short)
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The order does not wait any more. Says for what it has waited.
pub(crate) async fn delete(conn: &mut PgConnection, order: OrderId) -> Result<BTreeSet<ProductId>> {
    let products =
        sqlx::query_scalar!("delete from backorders where order_id = $1 returning product_id", order.uuid())
            .fetch_all(conn)
            .await?;
    Ok(products.into_iter().map(ProductId::from_uuid).collect())
}

pub(crate) async fn exists(db: impl PgExecutor<'_>, products: &BTreeSet<ProductId>) -> Result<bool> {
    let any = sqlx::query_scalar!(
        "select exists (select from backorders where product_id = any($1)) as \"any!\"",
        &uuids(products)
    )
    .fetch_one(db)
    .await?;
    Ok(any)
}

/// The next order that waits for any of these products, in the order of their placing.
pub(crate) async fn next(
    db: impl PgExecutor<'_>,
    products: &BTreeSet<ProductId>,
    after: Option<OrderId>,
) -> Result<Option<OrderId>> {
    let id = sqlx::query_scalar!(
        "select order_id from backorders where product_id = any($1) and ($2::uuid is null or order_id > $2) order by order_id limit 1",
        &uuids(products),
        after.map(OrderId::uuid)
    )
    .fetch_optional(db)
    .await?;
    Ok(id.map(OrderId::from_uuid))
}
