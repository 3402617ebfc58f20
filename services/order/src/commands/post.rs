//! How every command that changes stock ends.

use quenty_kernel::id::CompanyId;
use quenty_platform::Tx;
use serde::{Deserialize, Serialize};

use crate::{Error, domain::stock::Stock, store};

/// The task that looks for stock for backordered orders.
pub(crate) const ALLOCATE_TASK: &str = "allocate_backorders";

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct StockArrived {
    pub(crate) company_id: CompanyId,
}

/// Saves what was posted, and tells which products fell low or recovered by it.
pub(super) async fn post(tx: &mut Tx, stock: &mut Stock) -> Result<(), Error> {
    let (actor, now) = (tx.actor().clone(), tx.now());
    store::stock::save(tx.conn(), stock, &actor, now).await?;
    wake_backorders(tx, stock).await?;
    tell_alarms(tx, stock).await
}

/// Tells which products are low, or not any more, by what is in stock now.
pub(super) async fn tell_alarms(tx: &mut Tx, stock: &mut Stock) -> Result<(), Error> {
    let alarms = stock.alarms();
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

/// Somebody may have waited for what became available just now.
async fn wake_backorders(tx: &mut Tx, stock: &Stock) -> Result<(), Error> {
    let Some(more) = stock.posted().iter().find(|movement| movement.on_hand_delta > movement.reserved_delta)
    else {
        return Ok(());
    };
    let company_id = more.company_id;
    if store::orders::has_backordered(&mut *tx.conn(), company_id).await? {
        tx.enqueue(ALLOCATE_TASK, more.id.to_string(), Some(company_id), &StockArrived { company_id })?;
    }
    Ok(())
}
