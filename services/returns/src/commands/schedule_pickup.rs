//! A driver shall bring the goods.

use quenty_kernel::{Scope, id::ReturnId};
use quenty_platform::Tx;

use super::{load, lock, save};
use crate::{
    Error,
    domain::goods_return::{Return, Wanted},
};

pub(crate) async fn schedule_pickup(
    tx: &mut Tx,
    scope: Scope,
    id: ReturnId,
    wanted: Wanted,
) -> Result<Return, Error> {
    let mut locked = lock(tx, scope, id).await?;
    let load = load(&locked.of, &locked.order)?;
    let facts = locked.of.ask_for_pickup(wanted, load, tx.now())?;
    save(tx, &mut locked, facts).await?;
    Ok(locked.of)
}
