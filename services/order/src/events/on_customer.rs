//! Customer tells which customers a company has.

use quenty_contracts::customer::{CustomerCreated, CustomerUpdated};
use quenty_platform::{Received, Tx};

use crate::{Error, commands::keep_customer};

pub(super) async fn on_created(tx: &mut Tx, event: Received<CustomerCreated>) -> Result<(), Error> {
    keep_customer(tx, event.data.company_id, event.data.customer_id).await
}

pub(super) async fn on_updated(tx: &mut Tx, event: Received<CustomerUpdated>) -> Result<(), Error> {
    keep_customer(tx, event.data.company_id, event.data.customer_id).await
}
