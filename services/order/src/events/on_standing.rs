//! Customer tells what a company may do: every event about it carries the whole standing.

use quenty_contracts::{customer::TellsStanding, standing_events};
use quenty_platform::{Reaction, Received, Tx};

use crate::{Error, commands::keep_standing};

macro_rules! each {
    ($($event:ty),+) => { vec![$(Reaction::on(on_standing_changed::<$event>)),+] };
}

pub(super) fn reactions() -> Vec<Reaction> {
    standing_events!(each)
}

async fn on_standing_changed<E: TellsStanding>(tx: &mut Tx, event: Received<E>) -> Result<(), Error> {
    keep_standing(tx, event.data.standing()).await
}
