//! A person says yes; then its way back is arranged.

use quenty_kernel::{Scope, contact::Text, id::ReturnId};
use quenty_platform::Tx;

use super::{arrange, lock, save, terms};
use crate::{Error, domain::goods_return::Return};

pub(crate) async fn approve_return(
    tx: &mut Tx,
    scope: Scope,
    id: ReturnId,
    note: Option<&Text<500>>,
) -> Result<Return, Error> {
    let now = tx.now();
    let mut locked = lock(tx, scope, id).await?;
    let days = terms(tx, &locked.of).await?.expires_after_days;
    let mut facts = locked.of.approve(note.map(Text::as_str), days, now)?;
    facts.extend(arrange(&mut locked.of, &locked.order, now)?);
    save(tx, &mut locked, facts).await?;
    Ok(locked.of)
}
