//! Pickup or Shipping tells how the goods come back.

use quenty_kernel::{Scope, id::ReturnId};
use quenty_platform::Tx;

use super::{lock, save};
use crate::{Error, domain::goods_return::News};

pub(crate) async fn follow_return(tx: &mut Tx, id: ReturnId, news: News) -> Result<(), Error> {
    let mut locked = lock(tx, Scope::All, id).await?;
    let facts = locked.of.hear(news, tx.now());
    save(tx, &mut locked, facts).await
}
