use quenty_kernel::{
    Scope,
    id::{CompanyId, UserId},
};
use quenty_platform::Tx;

use super::lock_company;
use crate::{
    Error,
    domain::{
        invitation::Invitee,
        member::{Member, MemberError, MemberRole},
    },
    store,
};

pub(crate) struct MemberInvitation {
    pub(crate) invitee: Invitee,
    pub(crate) role: MemberRole,
}

/// Auth mails whoever it is: a link to become a user, or word of the invitation to who is one.
pub(crate) async fn invite_member(
    tx: &mut Tx,
    scope: Scope,
    company_id: CompanyId,
    invited_by: UserId,
    invitation: MemberInvitation,
) -> Result<Member, Error> {
    let MemberInvitation { invitee, role } = invitation;
    lock_company(tx, scope, company_id).await?.ensure_open()?;
    if let Some(there) = store::members::find_by_email(tx.conn(), company_id, &invitee.email).await? {
        return Err(MemberError::AlreadyThere(there).into());
    }
    let now = tx.now();
    let (member, invited) = Member::invite(company_id, invitee.email.clone(), role, invited_by, now);
    store::members::insert(tx.conn(), &member).await?;
    tx.record(member.id(), Some(company_id), &invited)?;
    let user_id = match store::profiles::find_by_email(tx.conn(), &invitee.email).await? {
        Some(profile) => profile.user_id(),
        None => store::user_invitations::promise(tx.conn(), &invitee.email, UserId::new(), now).await?,
    };
    tx.record(user_id, Some(company_id), &invitee.into_company(user_id, company_id))?;
    Ok(member)
}
