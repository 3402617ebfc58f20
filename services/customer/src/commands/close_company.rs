use quenty_kernel::{Scope, contact::Text, id::CompanyId};
use quenty_platform::Tx;

use super::{lock_company, save_company};
use crate::{Error, domain::company::Company};

pub(crate) async fn close_company(
    tx: &mut Tx,
    scope: Scope,
    id: CompanyId,
    reason: &Text<500>,
) -> Result<Company, Error> {
    let mut company = lock_company(tx, scope, id).await?;
    let closed = company.close(reason, tx.now())?;
    save_company(tx, &company, &closed).await?;
    Ok(company)
}
