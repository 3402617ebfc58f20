//! The buyer keeps the goods after all.

use quenty_kernel::{Scope, contact::Text, id::ReturnId};
use quenty_platform::Tx;

use super::{lock, save};
use crate::{Error, domain::goods_return::Return};

/// Cancels at once, or asks whoever has the booking first: then the return says that it is ending.
pub(crate) async fn cancel_return(
    tx: &mut Tx,
    scope: Scope,
    id: ReturnId,
    reason: &Text<500>,
) -> Result<Return, Error> {
    let mut locked = lock(tx, scope, id).await?;
    let facts = locked.of.cancel(reason.as_str(), tx.now())?;
    save(tx, &mut locked, facts).await?;
    Ok(locked.of)
}
