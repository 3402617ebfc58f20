use quenty_kernel::id::{MemberId, UserId};
use quenty_platform::Tx;

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
    let invited = store::members::lock_invited(tx.conn(), id, &profile.state().email).await?;
    let mut member = invited.ok_or(MemberError::NotFound)?;
    if let Some(there) = store::members::find_active(tx.conn(), member.company_id(), user_id)
        .await?
        .filter(|there| *there != id)
    {
        return Err(MemberError::AlreadyThere(there).into());
    }
    let added = member.accept(user_id, tx.now())?;
    store::members::save(tx.conn(), &member).await?;
    tx.record(id, Some(member.company_id()), &added)?;
    Ok(member)
}
