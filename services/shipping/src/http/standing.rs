//! What Customer knows: what a company may do, asked when it is not known or does not permit what is wanted, and whose a
//! customer is. Before `begin`: no transaction waits for the network.

use quenty_kernel::id::{CompanyId, CustomerId};
use quenty_platform::{App, tx::Cause};
use serde::de::IgnoredAny;

use crate::{
    Error,
    domain::rules::{Refusal, Standing},
    store, tasks,
};

/// What Customer answers is kept.
pub async fn standing_for(app: &App, company: CompanyId, international: bool) -> Result<Standing, Error> {
    let known = store::neighbours::find_standing(app.db(), company).await?;
    if let Some(standing) = known.as_ref().filter(|standing| standing.permits(international).is_ok()) {
        return Ok(standing.clone());
    }
    match (tasks::ask_standing(app, company).await, known) {
        (Ok(told), _) => {
            let mut tx = app.begin_as(Cause::system()).await?;
            let standing = store::neighbours::newest_standing(tx.conn(), &told).await?;
            tx.commit().await?;
            Ok(standing)
        }
        (Err(error), _) if error.is_not_found() => Err(Refusal::CompanyNotActive.into()),
        // Customer is away: what it said last still holds.
        (Err(_), Some(known)) => Ok(known),
        (Err(error), None) => Err(quenty_platform::Error::from(error).into()),
    }
}

/// That the customer is the company's: the consignee is erased with them, and with nobody who was mistyped. Shipping keeps no
/// customers, so that Customer is asked each time.
pub async fn ensure_customer(app: &App, company: CompanyId, id: CustomerId) -> Result<(), Error> {
    let path = format!("/internal/companies/{company}/customers/{id}");
    match app.client().get::<IgnoredAny>("customer", &path).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Err(Error::UnknownCustomer),
        Err(error) => Err(quenty_platform::Error::from(error).into()),
    }
}
