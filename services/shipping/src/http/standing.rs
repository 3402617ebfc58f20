//! What a company may do, asked of Customer when it is not known or does not permit what is wanted. Before `begin`:
//! no transaction waits for the network.

use quenty_kernel::id::CompanyId;
use quenty_platform::App;

use crate::{
    Error,
    domain::rules::{Refusal, Standing},
    store, tasks,
};

pub async fn standing_for(app: &App, company: CompanyId, international: bool) -> Result<Standing, Error> {
    let known = store::neighbours::find_standing(app.db(), company).await?;
    if let Some(standing) = known.as_ref().filter(|standing| standing.permits(international).is_ok()) {
        return Ok(standing.clone());
    }
    match (tasks::ask_standing(app, company).await, known) {
        (Ok(told), _) => Ok(Standing::from(&told)),
        (Err(error), _) if error.is_not_found() => Err(Refusal::CompanyNotActive.into()),
        // Customer is away: what it said last still holds.
        (Err(_), Some(known)) => Ok(known),
        (Err(error), None) => Err(quenty_platform::Error::from(error).into()),
    }
}
