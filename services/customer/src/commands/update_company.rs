use quenty_kernel::{
    Scope,
    id::{CompanyId, UserId},
};
use quenty_platform::{Tx, http::IfMatch};

use super::{lock_company, reviewer};
use crate::{
    Error,
    domain::company::{Company, CompanyChanges, CompanyError, Side},
    store,
};

pub(crate) async fn update_company(
    tx: &mut Tx,
    scope: Scope,
    user_id: UserId,
    id: CompanyId,
    seen: IfMatch,
    changes: CompanyChanges,
) -> Result<Company, Error> {
    let mut company = lock_company(tx, scope, id).await?;
    seen.check(company.version())?;
    let by = match scope {
        Scope::All => Side::Platform(reviewer(tx, id, user_id).await?),
        Scope::Company(_) => Side::Company,
    };
    if let Some(updated) = company.update(changes, by, tx.now())? {
        store::companies::save(tx.conn(), &company).await.map_err(document_taken)?;
        tx.record(id, Some(id), &updated)?;
    }
    Ok(company)
}

fn document_taken(error: quenty_platform::Error) -> Error {
    match error.violated_constraint() {
        Some("companies_document") => CompanyError::DocumentTaken.into(),
        _ => error.into(),
    }
}
