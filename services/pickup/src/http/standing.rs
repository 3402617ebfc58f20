//! Whether a company may take places, asked of Customer when that is not known or was refused before. Before `begin`: no
//! transaction waits for the network. Order has judged whom it asks for. Returns judges nobody: the buyers of a
//! suspended company may still send its goods back.

use quenty_contracts::customer::Standing;
use quenty_kernel::id::CompanyId;
use quenty_platform::{App, tx::Cause};

use crate::{Error, store};

/// That the company may order; what Customer answers is kept.
///
/// # Errors
/// When it may not, when Customer knows no such company, or when Customer is away and never told of it.
pub(super) async fn check_standing(app: &App, company: CompanyId) -> Result<(), Error> {
    let known = store::standings::may_order(app.db(), company).await?;
    if known == Some(true) {
        return Ok(());
    }
    let path = format!("/internal/companies/{company}/standing");
    match app.client().get::<Standing>("customer", &path).await {
        Ok(told) => {
            let mut tx = app.begin_as(Cause::system()).await?;
            store::standings::keep(tx.conn(), &told).await?;
            tx.commit().await?;
            if told.may_order { Ok(()) } else { Err(Error::CompanyNotActive) }
        }
        // Customer knows no such company, or is away: what it said last still holds then.
        Err(error) if error.is_not_found() || known.is_some() => Err(Error::CompanyNotActive),
        Err(error) => Err(quenty_platform::Error::from(error).into()),
    }
}
