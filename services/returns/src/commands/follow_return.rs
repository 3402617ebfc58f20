//! Pickup or Shipping tells how the goods come back.

use quenty_kernel::{Scope, id::ReturnId};
use quenty_platform::Tx;

use super::{lock, save};
use crate::{Error, domain::goods_return::News};

/// Bookings of orders are none of ours.
pub(crate) async fn follow_return(tx: &mut Tx, id: Option<ReturnId>, news: News) -> Result<(), Error> {
    let Some(id) = id else { return Ok(()) };
    let mut locked = lock(tx, Scope::All, id).await?;
    let facts = locked.of.hear(news, tx.now());
    save(tx, &mut locked, facts).await
}
