use quenty_kernel::{
    Scope,
    contact::Text,
    id::{CompanyId, UserId},
};
use quenty_platform::{Tx, http::IfMatch};

use super::{lock_company, reviewer, save_company};
use crate::{Error, domain::company::Company};

pub(crate) async fn reject_company(
    tx: &mut Tx,
    user_id: UserId,
    id: CompanyId,
    seen: IfMatch,
    reason: &Text<500>,
) -> Result<Company, Error> {
    let mut company = lock_company(tx, Scope::All, id).await?;
    seen.check(company.version())?;
    let by = reviewer(tx, id, user_id).await?;
    let rejected = company.reject(by, reason, tx.now())?;
    save_company(tx, &company, &rejected).await?;
    Ok(company)
}
