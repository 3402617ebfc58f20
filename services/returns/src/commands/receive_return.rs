//! Goods arrive at the warehouse, all or some.

use quenty_contracts::returns::LineQuantity;
use quenty_kernel::{Scope, id::ReturnId};
use quenty_platform::Tx;

use super::{lock, save};
use crate::{Error, domain::goods_return::Return};

pub(crate) async fn receive_return(
    tx: &mut Tx,
    scope: Scope,
    id: ReturnId,
    arrived: &[LineQuantity],
) -> Result<Return, Error> {
    let (now, by) = (tx.now(), tx.actor().clone());
    let mut locked = lock(tx, scope, id).await?;
    let facts = locked.of.receive(arrived, &by, now)?;
    save(tx, &mut locked, facts).await?;
    Ok(locked.of)
}
