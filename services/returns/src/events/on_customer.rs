//! Customer tells how the merchants' customers are written to.

use quenty_contracts::customer::{CustomerCreated, CustomerUpdated};
use quenty_kernel::{
    contact::{Email, LanguageTag},
    id::{CompanyId, CustomerId},
};
use quenty_platform::{Received, Tx};

use crate::{Error, store::neighbours::keep_customer};

pub(super) async fn on_created(tx: &mut Tx, event: Received<CustomerCreated>) -> Result<(), Error> {
    let of = event.data;
    keep(tx, of.company_id, of.customer_id, of.email.as_ref(), of.language.as_ref()).await
}

pub(super) async fn on_updated(tx: &mut Tx, event: Received<CustomerUpdated>) -> Result<(), Error> {
    let of = event.data;
    keep(tx, of.company_id, of.customer_id, of.email.as_ref(), of.language.as_ref()).await
}

async fn keep(
    tx: &mut Tx,
    company: CompanyId,
    id: CustomerId,
    email: Option<&Email>,
    language: Option<&LanguageTag>,
) -> Result<(), Error> {
    if tx.is_erased(id).await? {
        return Ok(());
    }
    Ok(keep_customer(tx.conn(), company, id, email, language).await?)
}
