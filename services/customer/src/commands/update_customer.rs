use quenty_kernel::{Scope, id::CustomerId};
use quenty_platform::{Tx, http::IfMatch};

use crate::{
    Error,
    domain::customer::{Customer, CustomerChanges, CustomerError},
    store,
};

pub(crate) async fn update_customer(
    tx: &mut Tx,
    scope: Scope,
    id: CustomerId,
    seen: IfMatch,
    changes: CustomerChanges,
) -> Result<Customer, Error> {
    let mut customer = store::customers::lock(tx.conn(), scope, id).await?.ok_or(CustomerError::NotFound)?;
    seen.check(customer.version())?;
    let Some(updated) = customer.update(changes, tx.now())? else { return Ok(customer) };
    let company_id = customer.company_id();
    if let Some(email) = &customer.state().email
        && let Some(same) =
            store::customers::find_by_email(tx.conn(), company_id, email).await?.filter(|same| *same != id)
    {
        return Err(CustomerError::EmailTaken(Some(same)).into());
    }
    store::customers::save(tx.conn(), &customer).await.map_err(email_taken)?;
    tx.record(id, Some(company_id), &updated)?;
    Ok(customer)
}

/// Somebody took the address since we looked.
fn email_taken(error: quenty_platform::Error) -> Error {
    match error.violated_constraint() {
        Some("customers_email") => CustomerError::EmailTaken(None).into(),
        _ => error.into(),
    }
}
