//! Customer tells how the merchants' customers are written to.

use quenty_contracts::customer::{CustomerCreated, CustomerUpdated};
use quenty_platform::{Received, Tx};

use crate::{Error, store::neighbours::keep_customer};

pub(super) async fn on_created(tx: &mut Tx, event: Received<CustomerCreated>) -> Result<(), Error> {
    let of = event.data;
    tx.keep_from_erasure(of.customer_id).await?;
    keep_customer(tx.conn(), of.company_id, of.customer_id, of.email.as_ref(), of.language.as_ref()).await?;
    Ok(())
}

pub(super) async fn on_updated(tx: &mut Tx, event: Received<CustomerUpdated>) -> Result<(), Error> {
    let of = event.data;
    tx.keep_from_erasure(of.customer_id).await?;
    keep_customer(tx.conn(), of.company_id, of.customer_id, of.email.as_ref(), of.language.as_ref()).await?;
    Ok(())
}
