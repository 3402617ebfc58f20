use quenty_kernel::{
    Scope,
    id::{CompanyId, UserId},
};
use quenty_platform::{Tx, http::IfMatch};

use super::{lock_company, reviewer, save_company};
use crate::{Error, domain::company::Company};

pub(crate) async fn approve_company(
    tx: &mut Tx,
    user_id: UserId,
    id: CompanyId,
    seen: IfMatch,
) -> Result<Company, Error> {
    let mut company = lock_company(tx, Scope::All, id).await?;
    seen.check(company.version())?;
    let by = reviewer(tx, id, user_id).await?;
    let approved = company.approve(by, tx.now())?;
    save_company(tx, &company, &approved).await?;
    Ok(company)
}
