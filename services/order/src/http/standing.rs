//! What a company may do, before a transaction begins: from our projection, or by asking Customer.

use quenty_contracts::customer::Standing;
use quenty_kernel::id::CompanyId;
use quenty_platform::{App, Result, tx::Cause};

use crate::{Error, commands, domain::standing::KnownStanding, store};

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
