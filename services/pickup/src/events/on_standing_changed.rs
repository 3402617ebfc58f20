//! Every event of a company carries its standing: one reaction keeps the newest.

use quenty_contracts::{customer::TellsStanding, standing_events};
use quenty_platform::{Reaction, Received, Tx};

use crate::{Error, store};

macro_rules! each {
    ($($event:ty),+) => { vec![$(Reaction::on(on_standing_changed::<$event>)),+] };
}

pub(super) fn reactions() -> Vec<Reaction> {
    standing_events!(each)
}

async fn on_standing_changed<E: TellsStanding>(tx: &mut Tx, event: Received<E>) -> Result<(), Error> {
    Ok(store::standings::keep(tx.conn(), event.data.standing()).await?)
}
