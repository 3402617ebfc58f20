//! How every command that changes stock ends.

use std::collections::BTreeSet;

use quenty_kernel::id::{CompanyId, ProductId};
use quenty_platform::Tx;
use serde::{Deserialize, Serialize};

use super::today_of::today_of;
use crate::{Error, domain::stock::Stock, store};

/// The task that looks for stock for backordered orders.
pub(crate) const ALLOCATE_TASK: &str = "allocate_backorders";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StockArrived {
    pub(crate) company_id: CompanyId,
    pub(crate) products: BTreeSet<ProductId>,
}

/// Saves what was posted, and tells which products fell low or recovered by it.
pub(super) async fn post(tx: &mut Tx, stock: &mut Stock) -> Result<(), Error> {
    let (actor, now) = (tx.actor().clone(), tx.now());
    store::stock::save(tx.conn(), stock, &actor, now).await?;
    if let Some(first) = stock.posted().first() {
        wake_backorders(tx, first.company_id, first.id.to_string(), stock.made_available()).await?;
    }
    tell_alarms(tx, stock).await
}

/// Tells which products are low, or not any more, by what is in stock now.
pub(super) async fn tell_alarms(tx: &mut Tx, stock: &mut Stock) -> Result<(), Error> {
    let now = tx.now();
    let today = match stock.company_of_perishables() {
        Some(company) => Some(today_of(tx.conn(), company, now).await?),
        None => None,
    };
    let alarms = stock.alarms(today);
    if alarms.is_empty() {
        return Ok(());
    }
    let products: Vec<_> = alarms.iter().map(|(product, _)| *product).collect();
    store::stock::save_alarms(tx.conn(), &products, stock).await?;
    for (product, fact) in alarms {
        tx.record(product, Some(stock.company_of(product)?), &fact)?;
    }
    Ok(())
}

/// Somebody may have waited for what can be had now; `why` tells this moment from all others.
pub(super) async fn wake_backorders(
    tx: &mut Tx,
    company_id: CompanyId,
    why: String,
    products: BTreeSet<ProductId>,
) -> Result<(), Error> {
    if !products.is_empty() && store::backorders::exists(&mut *tx.conn(), &products).await? {
        tx.enqueue(ALLOCATE_TASK, why, Some(company_id), &StockArrived { company_id, products })?;
    }
    Ok(())
}
