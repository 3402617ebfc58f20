//! What the other services answer to a privacy request, and what this one erases itself.

use jiff::Timestamp;
use quenty_kernel::{
    Scope,
    id::{CustomerId, PrivacyRequestId},
};
use quenty_platform::{
    Tx,
    erasure::{Personal, Traces},
};
use serde_json::json;

use crate::{
    Error,
    domain::{
        customer::CustomerError,
        privacy_request::{PrivacyError, PrivacyFact, PrivacyRequest},
    },
    store,
};

/// Takes an answer in.
pub(crate) async fn follow_privacy_request(
    tx: &mut Tx,
    id: PrivacyRequestId,
    hear: impl FnOnce(&mut PrivacyRequest, Timestamp) -> Vec<PrivacyFact>,
) -> Result<(), Error> {
    let request = store::privacy_requests::lock(tx.conn(), id).await?;
    let mut request = request.ok_or(PrivacyError::NotFound)?;
    let facts = hear(&mut request, tx.now());
    store::privacy_requests::save(tx.conn(), &request).await?;
    for fact in facts {
        if matches!(fact, PrivacyFact::ErasureRequested(_)) {
            erase_customer(tx, id, request.customer_id).await?;
        }
        tx.record_about(id, request.customer_id, Some(request.company_id), &fact)?;
    }
    Ok(())
}

/// From here on nobody changes the customer, so that no event brings back what others erase.
async fn erase_customer(tx: &mut Tx, request: PrivacyRequestId, id: CustomerId) -> Result<(), Error> {
    let customer = store::customers::lock(tx.conn(), Scope::All, id).await?;
    let mut customer = customer.ok_or(CustomerError::NotFound)?;
    if let Some(erased) = customer.erase(tx.now()) {
        store::customers::save(tx.conn(), &customer).await?;
        tx.record(id, Some(customer.company_id()), &erased)?;
    }
    // The customer's row remembers it.
    let traces = Traces { streams: vec![id.to_string()], about: vec![], erased: vec![] };
    tx.erase_personal(request, customer.company_id(), &traces, leave_nothing).await?;
    Ok(())
}

fn leave_nothing(personal: &mut Personal) -> quenty_platform::Result<()> {
    personal.put("name", quenty_kernel::contact::ERASED);
    personal.put("addresses", json!([]));
    for field in ["email", "phone", "document_number"] {
        personal.clear(field);
    }
    Ok(())
}
