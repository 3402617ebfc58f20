//! The warehouse says what it found.

use quenty_contracts::returns::InspectedUnit;
use quenty_kernel::{
    Scope,
    id::{InspectionId, ReturnId},
};
use quenty_platform::Tx;

use super::{lock, save};
use crate::{Error, domain::goods_return::Return};

pub(crate) async fn inspect_return(
    tx: &mut Tx,
    scope: Scope,
    id: ReturnId,
    units: Vec<InspectedUnit>,
) -> Result<Return, Error> {
    let (now, by) = (tx.now(), tx.actor().clone());
    let mut locked = lock(tx, scope, id).await?;
    let facts = locked.of.inspect(InspectionId::new(), units, &by, now)?;
    save(tx, &mut locked, facts).await?;
    Ok(locked.of)
}
