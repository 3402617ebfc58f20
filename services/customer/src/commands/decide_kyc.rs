use quenty_kernel::{
    Scope,
    id::{CompanyId, UserId},
};
use quenty_platform::{Tx, http::IfMatch};

use super::{lock_company, reviewer, save_company};
use crate::{
    Error,
    domain::company::{Company, KycDecision},
};

pub(crate) async fn decide_kyc(
    tx: &mut Tx,
    user_id: UserId,
    id: CompanyId,
    seen: IfMatch,
    decision: &KycDecision,
) -> Result<Company, Error> {
    let mut company = lock_company(tx, Scope::All, id).await?;
    seen.check(company.version())?;
    let by = reviewer(tx, id, user_id).await?;
    let decided = company.decide_kyc(by, decision, tx.now())?;
    save_company(tx, &company, &decided).await?;
    Ok(company)
}
