//! Customer tells which customers a company has, and to whom of them it sells no more.

use quenty_contracts::customer::{CustomerCreated, CustomerUpdated};
use quenty_platform::{Received, Tx};

use crate::{Error, commands::keep_customer};

pub(super) async fn on_created(tx: &mut Tx, event: Received<CustomerCreated>) -> Result<(), Error> {
    let CustomerCreated { company_id, customer_id, blocked, .. } = event.data;
    keep_customer(tx, company_id, customer_id, blocked).await
}

pub(super) async fn on_updated(tx: &mut Tx, event: Received<CustomerUpdated>) -> Result<(), Error> {
    let CustomerUpdated { company_id, customer_id, blocked, .. } = event.data;
    keep_customer(tx, company_id, customer_id, blocked).await
}
