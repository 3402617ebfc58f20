//! What Customer knows, before a transaction begins: what a company may do, and whose a customer is.

use quenty_contracts::customer::Standing;
use quenty_kernel::id::{CompanyId, CustomerId};
use quenty_platform::{App, Result, tx::Cause};
use serde::de::IgnoredAny;

use crate::{
    Error, commands,
    domain::{placing::PlacingError, standing::KnownStanding},
    store,
};

/// Asks Customer when the company was never seen, or not for a day. While Customer is away, what is known
/// holds and is marked stale; a company never seen has to wait (503).
pub(crate) async fn known_standing(app: &App, company: CompanyId) -> Result<KnownStanding> {
    let now = app.clock().now();
    let known = store::standings::find(app.db(), company).await?;
    if let Some(known) = known.as_ref().filter(|known| known.is_fresh(now)) {
        return Ok(known.clone());
    }
    let path = format!("/internal/companies/{company}/standing");
    match app.client().get::<Standing>("customer", &path).await {
        Ok(standing) => {
            let mut tx = app.begin_as(Cause::system()).await?;
            commands::keep_standing(&mut tx, &standing).await?;
            tx.commit().await?;
            Ok(KnownStanding { standing, heard_at: now, stale: false })
        }
        Err(error) if error.is_not_found() => {
            Err(Error::from(crate::domain::standing::StandingError::NotActive("unknown".to_owned())).into())
        }
        Err(error) => match known {
            Some(known) => {
                tracing::warn!(%company, %error, "an old standing is used");
                Ok(KnownStanding { stale: true, ..known })
            }
            None => Err(error.into()),
        },
    }
}

/// That the customer is the company's: personal data are erased for the person who is named with them. Customer is asked
/// only about one of whom its events have not told yet, so that it may be away otherwise.
pub(crate) async fn ensure_customer(app: &App, company: CompanyId, id: CustomerId) -> Result<()> {
    if store::customers::exists(app.db(), company, id).await? {
        return Ok(());
    }
    let path = format!("/internal/companies/{company}/customers/{id}");
    match app.client().get::<IgnoredAny>("customer", &path).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Err(Error::from(PlacingError::UnknownCustomer).into()),
        Err(error) => Err(error.into()),
    }
}
