//! Lets an order go on from how things are now: where its warehouse is, whether its company may still ship, and whether
//! what is set aside for it can still be sold.

use jiff::Timestamp;
use quenty_kernel::{Scope, id::OrderId};
use quenty_platform::Tx;
use sqlx::PgConnection;

use super::{
    allocate_order::wish_of,
    today_of::today_of,
    update_order::{Exchange, exchange},
};
use crate::{
    Error,
    domain::{
        order::{Circumstances, Order, OrderError, update::ChangedGoods},
        stock::StockError,
    },
    store,
};

/// As [`super::save_order::change_order`], for what lets an order go on that has waited.
pub(super) async fn go_on(
    tx: &mut Tx,
    scope: Scope,
    id: OrderId,
    change: impl FnOnce(&mut Order, Timestamp) -> Result<(), OrderError>,
) -> Result<Order, Error> {
    let mut order = store::orders::lock(tx.conn(), scope, id).await?.ok_or(OrderError::NotFound)?;
    let now = tx.now();
    let (fresh, has_expired) = fresh_goods(tx, &order).await?;
    look_around(tx.conn(), &mut order, has_expired).await?;
    if let ChangedGoods::Found(found) = fresh.goods(&order) {
        order.exchange_goods(*found, now);
    }
    change(&mut order, now)?;
    fresh.write(tx, &mut order).await?;
    Ok(order)
}

/// The same pieces of another batch, where those that are set aside have expired; or that they have, and there is
/// nothing else.
async fn fresh_goods(tx: &mut Tx, order: &Order) -> Result<(Exchange, bool), Error> {
    if !order.may_exchange_goods() {
        return Ok((Exchange::Same, false));
    }
    let now = tx.now();
    let wish = wish_of(order, today_of(tx.conn(), order.company_id, now).await?)?;
    match exchange(tx, order, &wish).await {
        Ok(fresh) if fresh.warehouse().is_none_or(|warehouse| order.may_start_at(warehouse)) => {
            Ok((fresh, false))
        }
        Ok(_) | Err(Error::Stock(StockError::Insufficient(_))) => Ok((Exchange::Same, true)),
        Err(error) => Err(error),
    }
}

/// Tells the order how things are, before it is let go on.
pub(super) async fn look_around(
    conn: &mut PgConnection,
    order: &mut Order,
    has_expired: bool,
) -> Result<(), Error> {
    let company = order.company_id;
    // Who keeps another one waits for what becomes of the order, so as to find it where it is held by this one.
    let standing = store::standings::lock_shared(conn, company).await?;
    let warehouse = store::warehouses::find(conn, Scope::Company(company), order.warehouse_id).await?;
    order.look_around(Circumstances { standing, warehouse, has_expired });
    Ok(())
}
