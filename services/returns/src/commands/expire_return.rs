//! A saga's step was to be over by now.

use quenty_kernel::Scope;
use quenty_platform::Tx;

use super::{DueReturn, lock, save};
use crate::Error;

/// A deadline that was met meanwhile changes nothing.
pub(crate) async fn expire_return(tx: &mut Tx, due: DueReturn) -> Result<(), Error> {
    let mut locked = lock(tx, Scope::All, due.return_id).await?;
    let facts = locked.of.expire(due.number, tx.now());
    save(tx, &mut locked, facts).await
}
