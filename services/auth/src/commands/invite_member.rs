//! A company invites a person, as Customer tells. The membership says what they may do; no role in the platform comes
//! with it.

use quenty_kernel::{
    clock::wall_now,
    id::{CompanyId, UserId},
};
use quenty_platform::Tx;
use uuid::Uuid;

use super::mail::{mail_invitation, mail_notice};
use crate::{
    domain::{
        mail::MailKind,
        person::Person,
        rate_limit::{INVITATION_MAILS, INVITATION_MAILS_OF_COMPANY, INVITATION_MAILS_OF_PAIR},
        user::{User, UserStatus},
    },
    error::Error,
    store,
};

/// Who is invited by whom.
#[derive(Debug)]
pub struct Invitation {
    /// The event that asks for it: a repeat is the same invitation.
    pub cause: Uuid,
    pub user_id: UserId,
    pub person: Person,
    pub company_id: CompanyId,
}

pub async fn invite_member(tx: &mut Tx, invitation: Invitation) -> Result<(), Error> {
    let Invitation { cause, user_id, person, company_id } = invitation;
    let (user, fact) = User::invite(user_id, &person, Vec::new(), tx.now());
    let known = if store::users::insert(tx.conn(), &user).await? {
        tx.record(user_id, None, &fact)?;
        Some(user)
    } else {
        lock_known(tx, user_id, &person).await?
    };
    // Who was deactivated is let in again by staff, and by nobody else.
    let Some(known) = known.filter(|known| known.status() != UserStatus::Suspended) else { return Ok(()) };
    if !may_mail(tx, &known, company_id).await? {
        return Ok(());
    }
    if known.is_invited_without_roles() {
        return mail_invitation(tx, known.id()).await;
    }
    mail_notice(tx, known.id(), MailKind::CompanyInvitation, cause, Some(company_id))
}

/// The id or the address is known: a second invitation, or a person who has an account.
async fn lock_known(tx: &mut Tx, id: UserId, person: &Person) -> Result<Option<User>, Error> {
    match store::users::lock(tx.conn(), id).await? {
        Some(known) => Ok(Some(known)),
        None => Ok(store::users::lock_by_login(tx.conn(), person.email.as_str()).await?),
    }
}

/// Companies name whom we write to: what is too much is not mailed. The invitation stands, and who registers the address
/// or asks for a password gets its link.
async fn may_mail(tx: &mut Tx, user: &User, company_id: CompanyId) -> Result<bool, Error> {
    let (now, address) = (wall_now(), user.email().canonical());
    for (limit, bucket) in [
        (INVITATION_MAILS_OF_COMPANY, INVITATION_MAILS_OF_COMPANY.bucket(&company_id.to_string())),
        (INVITATION_MAILS_OF_PAIR, INVITATION_MAILS_OF_PAIR.bucket(&format!("{company_id}:{address}"))),
        (INVITATION_MAILS, INVITATION_MAILS.bucket(&address)),
    ] {
        if store::rate_limits::hit(tx.conn(), &limit, &bucket, now).await?.is_some() {
            tracing::warn!(user_id = %user.id(), %company_id, limit = limit.name, "an invitation is not mailed: there were too many");
            return Ok(false);
        }
    }
    Ok(true)
}
