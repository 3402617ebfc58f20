//! Tokens of a closed company only read.

use quenty_contracts::customer::CompanyClosed;
use quenty_platform::{Received, Tx};

use crate::{commands, error::Error};

pub(super) async fn on_company_closed(tx: &mut Tx, event: Received<CompanyClosed>) -> Result<(), Error> {
    commands::set_standing(tx, &event.data.standing).await
}
