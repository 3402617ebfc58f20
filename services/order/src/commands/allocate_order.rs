use std::collections::BTreeSet;

use quenty_contracts::party::Party;
use quenty_kernel::{
    Scope,
    id::{CompanyId, OrderId, ProductId},
};
use quenty_platform::Tx;

use super::{place_order::warehouse, reserve_stock, save_order::save_order};
use crate::{
    Error,
    domain::{
        order::{Order, OrderError, OrderKind, Status, people::Found},
        stock::StockError,
        warehouse::Warehouse,
    },
    store,
};

/// Looks for the stock of a backordered order. Says which products it goes on waiting for: nobody behind it
/// in the queue may have them.
pub(crate) async fn allocate_order(
    tx: &mut Tx,
    company: CompanyId,
    id: OrderId,
    promised: &BTreeSet<ProductId>,
) -> Result<BTreeSet<ProductId>, Error> {
    let mut order =
        store::orders::lock(tx.conn(), Scope::Company(company), id).await?.ok_or(OrderError::NotFound)?;
    if order.status != Status::Backordered {
        return Ok(BTreeSet::new());
    }
    let wanted: Vec<(ProductId, u32)> =
        order.lines.iter().map(|line| (line.product_id, line.quantity)).collect();
    let products: BTreeSet<ProductId> = wanted.iter().map(|(product, _)| *product).collect();
    if !products.is_disjoint(promised) {
        return Ok(products);
    }
    let near = order.consignee.address.location();
    match reserve_stock(tx, company, id, near, Some(order.warehouse_id), &wanted).await {
        Ok(reserved) => {
            let warehouse = warehouse(tx, company, Some(reserved.warehouse_id)).await?;
            let details = warehouse.details();
            let sender = Party {
                phone: details.contact_phone.clone(),
                address: details.address.clone(),
                ..order.sender.clone()
            };
            let kind = kind(&order, &warehouse);
            let found =
                Found { reservation_id: reserved.reservation_id, warehouse_id: warehouse.id(), sender, kind };
            order.allocate(found, tx.now());
            save_order(tx, &mut order, vec![]).await?;
            Ok(BTreeSet::new())
        }
        Err(Error::Stock(StockError::Insufficient(_))) => Ok(products),
        Err(error) => Err(error),
    }
}

/// Another warehouse may lie in another country.
fn kind(order: &Order, warehouse: &Warehouse) -> OrderKind {
    let abroad = order.consignee.address.country() != warehouse.details().address.country();
    match (abroad, order.kind) {
        (true, _) => OrderKind::International,
        (false, OrderKind::International) => OrderKind::Standard,
        (false, kind) => kind,
    }
}
