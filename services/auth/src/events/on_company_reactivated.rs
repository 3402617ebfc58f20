//! Tokens of a company that goes on have all permissions again.

use quenty_contracts::customer::CompanyReactivated;
use quenty_platform::{Received, Tx};

use crate::{commands, error::Error};

pub(super) async fn on_company_reactivated(
    tx: &mut Tx,
    event: Received<CompanyReactivated>,
) -> Result<(), Error> {
    commands::set_standing(tx, &event.data.standing).await
}
