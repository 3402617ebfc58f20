//! The buyer shall hand the parcel in with a label.

use quenty_kernel::{Scope, id::ReturnId};
use quenty_platform::Tx;

use super::{load, lock, save};
use crate::{Error, domain::goods_return::Return};

pub(crate) async fn issue_label(tx: &mut Tx, scope: Scope, id: ReturnId) -> Result<Return, Error> {
    let mut locked = lock(tx, scope, id).await?;
    let load = load(&locked.of, &locked.order)?;
    let facts = locked.of.ask_for_label(load, tx.now())?;
    save(tx, &mut locked, facts).await?;
    Ok(locked.of)
}
