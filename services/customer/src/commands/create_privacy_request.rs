use quenty_kernel::{Scope, id::CustomerId};
use quenty_platform::Tx;

use crate::{
    Error,
    domain::{
        customer::CustomerError,
        privacy_request::{PrivacyError, PrivacyRequest},
    },
    store,
};

/// Asks that a customer is erased. One who was erased before may have given a new address since: that is looked for again.
pub(crate) async fn create_privacy_request(
    tx: &mut Tx,
    scope: Scope,
    customer: CustomerId,
) -> Result<PrivacyRequest, Error> {
    let customer =
        store::customers::lock(tx.conn(), scope, customer).await?.ok_or(CustomerError::NotFound)?;
    let actor = tx.actor().clone();
    let (request, requested) = PrivacyRequest::erase(customer.company_id(), customer.id(), actor, tx.now());
    if !store::privacy_requests::insert(tx.conn(), &request).await? {
        let open = store::privacy_requests::find_open(tx.conn(), customer.id()).await?;
        return Err(PrivacyError::UnderWay(open).into());
    }
    tx.record_about(request.id, customer.id(), Some(customer.company_id()), &requested)?;
    Ok(request)
}
