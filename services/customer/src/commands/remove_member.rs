use quenty_kernel::{
    Scope,
    id::{CompanyId, MemberId},
};
use quenty_platform::Tx;

use super::lock_company;
use crate::{Error, domain::member::MemberError, store};

/// From a closed company, too: whoever leaves it need not stay on its list.
pub(crate) async fn remove_member(
    tx: &mut Tx,
    scope: Scope,
    company_id: CompanyId,
    id: MemberId,
) -> Result<(), Error> {
    lock_company(tx, scope, company_id).await?;
    let mut member =
        store::members::lock(tx.conn(), scope, company_id, id).await?.ok_or(MemberError::NotFound)?;
    let other_owners = store::members::count_other_owners(tx.conn(), company_id, id).await?;
    let removed = member.remove(other_owners, tx.now())?;
    store::members::save(tx.conn(), &member).await?;
    Ok(tx.record(id, Some(company_id), &removed)?)
}
