use quenty_kernel::{
    Scope,
    id::{CompanyId, MemberId},
};
use quenty_platform::Tx;

use super::lock_company;
use crate::{
    Error,
    domain::member::{Member, MemberError, MemberRole},
    store,
};

pub(crate) async fn change_member_role(
    tx: &mut Tx,
    scope: Scope,
    company_id: CompanyId,
    id: MemberId,
    role: MemberRole,
) -> Result<Member, Error> {
    lock_company(tx, scope, company_id).await?.ensure_open()?;
    let mut member =
        store::members::lock(tx.conn(), scope, company_id, id).await?.ok_or(MemberError::NotFound)?;
    let other_owners = store::members::count_other_owners(tx.conn(), company_id, id).await?;
    if let Some(changed) = member.change_role(role, other_owners, tx.now())? {
        store::members::save(tx.conn(), &member).await?;
        tx.record(id, Some(company_id), &changed)?;
    }
    Ok(member)
}
