//! Tokens of a suspended company only read.

use quenty_contracts::customer::CompanySuspended;
use quenty_platform::{Received, Tx};

use crate::{commands, error::Error};

pub(super) async fn on_company_suspended(
    tx: &mut Tx,
    event: Received<CompanySuspended>,
) -> Result<(), Error> {
    commands::set_standing(tx, &event.data.standing).await
}
