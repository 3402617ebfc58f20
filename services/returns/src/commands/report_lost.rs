//! A person says that the goods were lost on their way.

use quenty_kernel::{Scope, contact::Text, id::ReturnId};
use quenty_platform::Tx;

use super::{lock, save};
use crate::{Error, domain::goods_return::Return};

pub(crate) async fn report_lost(
    tx: &mut Tx,
    scope: Scope,
    id: ReturnId,
    reason: &Text<500>,
) -> Result<Return, Error> {
    let mut locked = lock(tx, scope, id).await?;
    let facts = locked.of.report_lost(reason.as_str(), tx.now())?;
    save(tx, &mut locked, facts).await?;
    Ok(locked.of)
}
