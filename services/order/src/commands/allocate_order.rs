use std::collections::BTreeSet;

use jiff::civil::Date;
use quenty_kernel::{
    Scope,
    id::{CompanyId, OrderId, ProductId},
};
use quenty_platform::Tx;

use super::{
    go_on::look_around,
    reserve_stock::{Wish, reserve_stock},
    save_order::save_order,
    today_of::today_of,
};
use crate::{
    Error,
    domain::{
        order::{Order, OrderError, Status},
        stock::{Shortage, StockError, sum_by_product},
    },
    store,
};

/// What became of an order that waited.
#[derive(Debug)]
pub(crate) enum Allocated {
    /// It waits no more; others may have waited behind it for these.
    Served(BTreeSet<ProductId>),
    /// It goes on waiting for these, and whoever is behind it, too.
    Short(BTreeSet<ProductId>),
}

/// Looks for the stock of a backordered order.
pub(crate) async fn allocate_order(tx: &mut Tx, company: CompanyId, id: OrderId) -> Result<Allocated, Error> {
    let mut order =
        store::orders::lock(tx.conn(), Scope::Company(company), id).await?.ok_or(OrderError::NotFound)?;
    let now = tx.now();
    let wish = wish_of(&order, today_of(tx.conn(), company, now).await?)?;
    if order.status != Status::Backordered {
        return Ok(Allocated::Served(wish.products()));
    }
    match reserve_stock(tx, &wish).await {
        Ok(reserved) => {
            look_around(tx.conn(), &mut order, false).await?;
            order.allocate(reserved.found(&order), now);
            save_order(tx, &mut order, vec![]).await?;
            Ok(Allocated::Served(wish.products()))
        }
        Err(Error::Stock(StockError::Insufficient(shortages))) => {
            let short = shortages.iter().filter(|shortage| shortage.is_everywhere());
            let short = short.map(|shortage: &Shortage| shortage.product_id).collect();
            store::backorders::put(tx.conn(), id, &wish.products(), &short).await?;
            Ok(Allocated::Short(short))
        }
        Err(error) => Err(error),
    }
}

pub(super) fn wish_of(order: &Order, today: Date) -> Result<Wish, Error> {
    Ok(Wish {
        company_id: order.company_id,
        order_id: order.id,
        preferred: Some(order.warehouse_id),
        near: order.consignee.address.location(),
        wants: sum_by_product(order.lines.iter().map(|line| (line.product_id, line.quantity)))?,
        today,
    })
}
