use quenty_kernel::{
    Scope,
    contact::Text,
    id::{CompanyId, UserId},
};
use quenty_platform::Tx;

use super::{lock_company, reviewer, save_company};
use crate::{Error, domain::company::Company};

pub(crate) async fn suspend_company(
    tx: &mut Tx,
    user_id: UserId,
    id: CompanyId,
    reason: &Text<500>,
) -> Result<Company, Error> {
    let mut company = lock_company(tx, Scope::All, id).await?;
    let by = reviewer(tx, id, user_id).await?;
    let suspended = company.suspend(by, reason, tx.now())?;
    save_company(tx, &company, &suspended).await?;
    Ok(company)
}
