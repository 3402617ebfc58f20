use quenty_kernel::{Scope, id::CompanyId};
use quenty_platform::Tx;

use super::{lock_company, save_company};
use crate::{Error, domain::company::Company};

pub(crate) async fn submit_company(tx: &mut Tx, scope: Scope, id: CompanyId) -> Result<Company, Error> {
    let mut company = lock_company(tx, scope, id).await?;
    let submitted = company.submit(tx.now())?;
    save_company(tx, &company, &submitted).await?;
    Ok(company)
}
