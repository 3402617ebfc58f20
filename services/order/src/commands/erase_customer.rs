//! A person is erased: Order says what it holds of them, and erases it once nothing of it is under way.

use quenty_contracts::{
    customer::ErasureRequested,
    order::{OrdersErased, OrdersFound},
    party::Party,
};
use quenty_kernel::{
    Scope,
    contact::ERASED,
    id::{CompanyId, CustomerId, OrderId, PrivacyRequestId, ReturnId},
};
use quenty_platform::{
    Tx,
    erasure::{Personal, Traces},
};

use super::save_order::save_order;
use crate::{
    Error,
    domain::{erasure::ErasureFact, order::OrderError, timeline::WRITTEN},
    store,
};

/// Answers what there is of the person, and again whenever one of their orders ends.
pub(crate) async fn look_for_customer(
    tx: &mut Tx,
    request: PrivacyRequestId,
    company: CompanyId,
    customer: CustomerId,
) -> Result<(), Error> {
    // Who ends one of them at this moment finds the request, or is found.
    store::erasures::lock_orders(tx.conn(), company, customer).await?;
    store::erasures::put_waiting(tx.conn(), request, company, customer).await?;
    tell_orders_of(tx, company, customer).await
}

/// An order of the customer has ended: somebody may wait for that.
pub(super) async fn tell_orders_of(
    tx: &mut Tx,
    company_id: CompanyId,
    customer: CustomerId,
) -> Result<(), Error> {
    let Some(request_id) = store::erasures::lock_waiting(tx.conn(), customer).await? else { return Ok(()) };
    let held = store::erasures::held(tx.conn(), company_id, customer).await?;
    let found = OrdersFound { request_id, company_id, order_ids: held.all, under_way: held.under_way };
    Ok(tx.record(request_id, Some(company_id), &ErasureFact::from(found))?)
}

/// Erases the person, unless an order was placed meanwhile: that is waited for, and told to everybody.
pub(crate) async fn erase_customer(tx: &mut Tx, asked: &ErasureRequested) -> Result<(), Error> {
    let ErasureRequested { request_id, company_id, customer_id, round, .. } = *asked;
    tx.hold_for_erasure(&[customer_id.uuid()]).await?;
    store::erasures::lock_orders(tx.conn(), company_id, customer_id).await?;
    let held = store::erasures::held(tx.conn(), company_id, customer_id).await?;
    let is_new = |id: &OrderId| !asked.order_ids.contains(id);
    if !held.under_way.is_empty() || held.all.iter().any(is_new) {
        return look_for_customer(tx, request_id, company_id, customer_id).await;
    }
    let mut records = 0;
    for id in &held.all {
        records += u32::from(erase_order(tx, company_id, *id).await?);
    }
    store::customers::forget(tx.conn(), customer_id).await?;
    let streams = held.all.iter().map(OrderId::to_string).collect();
    let mut about: Vec<String> = asked.return_ids.iter().map(ReturnId::to_string).collect();
    about.push(customer_id.to_string());
    let traces = Traces { streams, about, erased: vec![customer_id.uuid()] };
    let facts = tx.erase_personal(request_id, company_id, &traces, leave).await?;
    store::erasures::set_erased(tx.conn(), request_id).await?;
    let erased = OrdersErased { request_id, company_id, customer_id, round, records, facts };
    Ok(tx.record(request_id, Some(company_id), &ErasureFact::from(erased))?)
}

async fn erase_order(tx: &mut Tx, company: CompanyId, id: OrderId) -> Result<bool, Error> {
    let order = store::orders::lock(tx.conn(), Scope::Company(company), id).await?;
    let mut order = order.ok_or(OrderError::NotFound)?;
    let erased = order.erase(tx.now());
    save_order(tx, &mut order, vec![]).await?;
    store::timeline::erase(tx.conn(), id, &WRITTEN).await?;
    Ok(erased)
}

/// The sender is the merchant's warehouse. What somebody gave as a reason may be about the person, or in their words.
fn leave(personal: &mut Personal) -> quenty_platform::Result<()> {
    personal.leave("consignee", Party::erased)?;
    personal.clear("notes");
    personal.put("reason", ERASED);
    personal.put("detail", ERASED);
    Ok(())
}
