//! Every event of a company carries its standing: one reaction keeps the newest. Who is suspended keeps what was booked:
//! a suspension ends.

use quenty_contracts::{customer::TellsStanding, standing_events};
use quenty_platform::{Reaction, Received, Tx};

use crate::{Error, commands, store};

macro_rules! each {
    ($($event:ty),+) => { vec![$(Reaction::on(on_standing_changed::<$event>)),+] };
}

pub(super) fn reactions() -> Vec<Reaction> {
    standing_events!(each)
}

async fn on_standing_changed<E: TellsStanding>(tx: &mut Tx, event: Received<E>) -> Result<(), Error> {
    let standing = event.data.standing();
    store::standings::keep(tx.conn(), standing).await?;
    // However late that is heard: nobody opens it again.
    if standing.status == "closed" {
        commands::close_company(tx, standing.company_id).await?;
    }
    Ok(())
}
