//! The buyer has been paid.

use quenty_kernel::{Scope, contact::Text, id::ReturnId};
use quenty_platform::Tx;

use super::{lock, save};
use crate::{
    Error,
    domain::{goods_return::Return, words::RefundMethod},
};

pub(crate) async fn refund_return(
    tx: &mut Tx,
    scope: Scope,
    id: ReturnId,
    method: RefundMethod,
    reference: Option<Text<100>>,
) -> Result<Return, Error> {
    let (now, by) = (tx.now(), tx.actor().clone());
    let mut locked = lock(tx, scope, id).await?;
    let whole = locked.order.is_returned_whole();
    let facts = locked.of.refund(method, reference.map(String::from), whole, &by, now)?;
    save(tx, &mut locked, facts).await?;
    Ok(locked.of)
}
