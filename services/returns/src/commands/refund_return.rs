//! The buyer is paid.

use quenty_kernel::{Scope, contact::Text, id::ReturnId};
use quenty_platform::Tx;

use super::{PAYOUT_TASK, PayBuyer, lock, save};
use crate::{
    Error,
    domain::{goods_return::Return, words::RefundMethod},
};

/// Records that the buyer has the money; or has the payment provider pay it, where `has_provider`, something is owed
/// and nothing says that it is paid already.
pub(crate) async fn refund_return(
    tx: &mut Tx,
    scope: Scope,
    id: ReturnId,
    method: RefundMethod,
    reference: Option<Text<100>>,
    has_provider: bool,
) -> Result<Return, Error> {
    let (now, by) = (tx.now(), tx.actor().clone());
    let mut locked = lock(tx, scope, id).await?;
    let is_owed = locked.of.check_may_refund().is_ok_and(|owed| !owed.is_zero());
    let may_pay_out = has_provider && is_owed && reference.is_none();
    if may_pay_out && locked.of.refund_method(method)? == RefundMethod::Original {
        let facts = locked.of.ask_payout(&by, now)?;
        save(tx, &mut locked, facts).await?;
        pay_out(tx, &locked.of)?;
    } else {
        let whole = locked.order.is_returned_whole();
        let facts = locked.of.refund(method, reference.map(String::from), whole, &by, now)?;
        save(tx, &mut locked, facts).await?;
    }
    Ok(locked.of)
}

fn pay_out(tx: &mut Tx, of: &Return) -> Result<(), Error> {
    let Some(payout) = &of.payout else { return Ok(()) };
    let task = PayBuyer { return_id: of.id, number: payout.number };
    Ok(tx.enqueue(PAYOUT_TASK, format!("{}:{}", of.id, of.version), Some(of.company_id()), &task)?)
}

/// The provider has paid.
pub(crate) async fn finish_payout(tx: &mut Tx, of: &PayBuyer, reference: String) -> Result<(), Error> {
    let mut locked = lock(tx, Scope::All, of.return_id).await?;
    let whole = locked.order.is_returned_whole();
    let facts = locked.of.finish_payout(of.number, reference.clone(), whole, tx.now());
    if facts.is_empty() {
        tracing::error!(return_id = %of.return_id, reference, "paid out although somebody had recorded it as paid");
    }
    save(tx, &mut locked, facts).await
}

/// The provider does not pay.
pub(crate) async fn refuse_payout(tx: &mut Tx, of: &PayBuyer, why: &str) -> Result<(), Error> {
    let mut locked = lock(tx, Scope::All, of.return_id).await?;
    let facts = locked.of.refuse_payout(of.number, why, tx.now());
    save(tx, &mut locked, facts).await
}
