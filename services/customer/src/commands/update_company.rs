use quenty_kernel::{
    Scope,
    id::{CompanyId, UserId},
};
use quenty_platform::{Tx, http::IfMatch};

use super::{lock_company, reviewer, save_company};
use crate::{
    Error,
    domain::company::{Company, CompanyChanges, Side},
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
        save_company(tx, &company, &updated).await?;
    }
    Ok(company)
}
