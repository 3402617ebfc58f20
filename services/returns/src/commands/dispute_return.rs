//! The buyer objects to a rejection or to an inspection.
//!
//! A rejected return has ended for a buyer who is to be erased: others may have erased it already, and would fetch nothing.

use quenty_kernel::{Scope, contact::Text, id::ReturnId};
use quenty_platform::Tx;

use super::{lock, save};
use crate::{
    Error,
    domain::goods_return::{Return, Status},
    store,
};

pub(crate) async fn dispute_return(
    tx: &mut Tx,
    scope: Scope,
    id: ReturnId,
    reason: &Text<500>,
) -> Result<Return, Error> {
    let mut locked = lock(tx, scope, id).await?;
    if locked.of.status == Status::Rejected
        && let Some(customer) = locked.order.customer_id
        && store::erasures::lock_waiting(tx.conn(), customer).await?.is_some()
    {
        return Err(Error::ErasureUnderWay);
    }
    let facts = locked.of.dispute(reason.as_str(), tx.now())?;
    save(tx, &mut locked, facts).await?;
    Ok(locked.of)
}
