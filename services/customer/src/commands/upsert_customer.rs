use quenty_kernel::id::{CompanyId, CustomerId};
use quenty_platform::Tx;

use crate::{
    Error,
    domain::customer::{Customer, NewCustomer},
    store,
};

/// The customer with this external key or e-mail address, made if there is none. One who is found stays as
/// they are: the company's own word counts more than an import's, and each order keeps its own address.
pub(crate) async fn upsert_customer(
    tx: &mut Tx,
    company_id: CompanyId,
    new: NewCustomer,
) -> Result<CustomerId, Error> {
    if let Some(known) = find(tx, company_id, &new).await? {
        return Ok(known);
    }
    let (customer, created) = Customer::import(company_id, new.clone(), tx.now())?;
    if store::customers::insert(tx.conn(), &customer).await? {
        tx.record(customer.id(), Some(company_id), &created)?;
        return Ok(customer.id());
    }
    // Another import made the same customer since we looked.
    let made = find(tx, company_id, &new).await?;
    Ok(made.ok_or_else(|| {
        quenty_platform::Error::internal("a customer in the way of this one cannot be found")
    })?)
}

async fn find(tx: &mut Tx, company_id: CompanyId, new: &NewCustomer) -> Result<Option<CustomerId>, Error> {
    if let Some(key) = &new.external_key
        && let Some(known) =
            store::customers::find_by_external_key(tx.conn(), company_id, key.as_str()).await?
    {
        return Ok(Some(known));
    }
    match &new.email {
        Some(email) => Ok(store::customers::find_by_email(tx.conn(), company_id, email).await?),
        None => Ok(None),
    }
}
