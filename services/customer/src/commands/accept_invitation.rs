use quenty_kernel::{
    Scope,
    id::{MemberId, UserId},
};
use quenty_platform::Tx;

use super::lock_company;
use crate::{
    Error,
    domain::{
        member::{Member, MemberError},
        profile::ProfileError,
    },
    store,
};

/// Only who owns the invited address sees the invitation.
pub(crate) async fn accept_invitation(tx: &mut Tx, user_id: UserId, id: MemberId) -> Result<Member, Error> {
    let profile = store::profiles::find(tx.conn(), user_id).await?.ok_or(ProfileError::NotKnownYet)?;
    let email = &profile.state().email;
    let invited = store::members::find_invited(tx.conn(), id, email).await?.ok_or(MemberError::NotFound)?;
    let company_id = invited.company_id();
    lock_company(tx, Scope::All, company_id).await?.ensure_open()?;
    let invited = store::members::lock_invited(tx.conn(), id, email).await?;
    let mut member = invited.ok_or(MemberError::NotFound)?;
    if let Some(there) =
        store::members::find_active(tx.conn(), company_id, user_id).await?.filter(|there| *there != id)
    {
        return Err(MemberError::AlreadyThere(there).into());
    }
    let added = member.accept(user_id, tx.now())?;
    store::members::save(tx.conn(), &member).await?;
    tx.record(id, Some(company_id), &added)?;
    Ok(member)
}
