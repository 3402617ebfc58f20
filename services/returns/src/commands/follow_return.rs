//! Pickup or Shipping tells how the goods come back.

use quenty_kernel::{Scope, id::ReturnId};
use quenty_platform::Tx;

use super::{load, lock, save};
use crate::{
    Error,
    domain::goods_return::{News, Wanted},
};

/// Bookings of orders are none of ours.
pub(crate) async fn follow_return(tx: &mut Tx, id: Option<ReturnId>, news: News) -> Result<(), Error> {
    let Some(id) = id else { return Ok(()) };
    let now = tx.now();
    let mut locked = lock(tx, Scope::All, id).await?;
    let mut facts = locked.of.hear(news, now);
    if !facts.is_empty() && locked.of.missed_its_day(now) {
        let load = load(&locked.of, &locked.order)?;
        facts.extend(locked.of.ask_for_pickup(Wanted::default(), load, now)?);
    }
    save(tx, &mut locked, facts).await
}
