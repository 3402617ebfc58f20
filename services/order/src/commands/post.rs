//! How every command that changes stock ends.

use quenty_platform::Tx;

use crate::{Error, domain::stock::Stock, store};

/// Saves what was posted, and tells which products fell low or recovered by it.
pub(super) async fn post(tx: &mut Tx, stock: &mut Stock) -> Result<(), Error> {
    let (actor, now) = (tx.actor().clone(), tx.now());
    store::stock::save(tx.conn(), stock, &actor, now).await?;
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
