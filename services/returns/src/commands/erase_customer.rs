//! A person is erased: Returns says what it holds of them, and erases it once nothing of it is under way.

use quenty_contracts::{
    customer::ErasureRequested,
    party::Party,
    returns::{ReturnsErased, ReturnsFound},
};
use quenty_kernel::{
    Scope,
    id::{CompanyId, CustomerId, OrderId, PrivacyRequestId, ReturnId},
};
use quenty_platform::{
    Tx,
    erasure::{Personal, Traces},
};

use super::{record, request_return::token};
use crate::{Error, domain::erasure::ErasureFact, store};

/// Answers what there is of the person, and again whenever one of their returns ends.
pub(crate) async fn look_for_customer(
    tx: &mut Tx,
    request: PrivacyRequestId,
    company: CompanyId,
    customer: CustomerId,
) -> Result<(), Error> {
    // Who ends one of them at this moment finds the request, or is found.
    store::erasures::lock_orders(tx.conn(), company, customer).await?;
    store::erasures::put_waiting(tx.conn(), request, company, customer).await?;
    tell_returns_of(tx, company, customer).await
}

/// A return of the customer has ended: somebody may wait for that.
pub(super) async fn tell_returns_of(
    tx: &mut Tx,
    company_id: CompanyId,
    customer: CustomerId,
) -> Result<(), Error> {
    let Some(request_id) = store::erasures::lock_waiting(tx.conn(), customer).await? else { return Ok(()) };
    let held = store::erasures::held(tx.conn(), company_id, customer).await?;
    let found = ReturnsFound { request_id, company_id, return_ids: held.all, under_way: held.under_way };
    Ok(tx.record(request_id, Some(company_id), &ErasureFact::from(found))?)
}

/// Erases the person, unless a return was asked for meanwhile: that is waited for, and told to everybody.
pub(crate) async fn erase_customer(tx: &mut Tx, asked: &ErasureRequested) -> Result<(), Error> {
    let ErasureRequested { request_id, company_id, customer_id, round, .. } = *asked;
    tx.hold_for_erasure(&[customer_id.uuid()]).await?;
    store::erasures::lock_orders(tx.conn(), company_id, customer_id).await?;
    let held = store::erasures::held(tx.conn(), company_id, customer_id).await?;
    let is_new = |id: &ReturnId| !asked.return_ids.contains(id);
    if !held.under_way.is_empty() || held.all.iter().any(is_new) {
        return look_for_customer(tx, request_id, company_id, customer_id).await;
    }
    let mut records = store::erasures::erase_orders(tx.conn(), company_id, customer_id).await?;
    for id in &held.all {
        records += u32::from(erase_return(tx, company_id, *id).await?);
    }
    let links: Vec<(ReturnId, String)> = held.all.iter().map(|id| (*id, token())).collect();
    store::erasures::forget(tx.conn(), customer_id, &links).await?;
    let streams = held.all.iter().map(ReturnId::to_string).collect();
    let mut about: Vec<String> = asked.order_ids.iter().map(OrderId::to_string).collect();
    about.push(customer_id.to_string());
    let traces = Traces { streams, about, erased: vec![customer_id.uuid()] };
    let facts = tx.erase_personal(request_id, company_id, &traces, leave).await?;
    store::erasures::set_erased(tx.conn(), request_id).await?;
    let erased = ReturnsErased { request_id, company_id, customer_id, round, records, facts };
    Ok(tx.record(request_id, Some(company_id), &ErasureFact::from(erased))?)
}

async fn erase_return(tx: &mut Tx, company: CompanyId, id: ReturnId) -> Result<bool, Error> {
    let of = store::returns::lock(tx.conn(), Scope::Company(company), id).await?;
    let mut of = of.ok_or(Error::NotFound("return"))?;
    let facts = of.erase(tx.now());
    let has_erased = !facts.is_empty();
    store::returns::save(tx.conn(), &of).await?;
    record(tx, &of, facts)?;
    Ok(has_erased)
}

/// Goods go to the merchant's warehouse: the consignee of a way back is nobody's address.
fn leave(personal: &mut Personal) -> quenty_platform::Result<()> {
    personal.leave("buyer", Party::erased)?;
    personal.leave("sender", Party::erased)?;
    personal.clear("notes");
    Ok(())
}
