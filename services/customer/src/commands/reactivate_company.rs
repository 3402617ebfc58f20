use quenty_kernel::{
    Scope,
    id::{CompanyId, UserId},
};
use quenty_platform::Tx;

use super::{lock_company, reviewer, save_company};
use crate::{Error, domain::company::Company};

pub(crate) async fn reactivate_company(
    tx: &mut Tx,
    user_id: UserId,
    id: CompanyId,
) -> Result<Company, Error> {
    let mut company = lock_company(tx, Scope::All, id).await?;
    let by = reviewer(tx, id, user_id).await?;
    let reactivated = company.reactivate(by, tx.now())?;
    save_company(tx, &company, &reactivated).await?;
    Ok(company)
}
