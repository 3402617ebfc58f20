//! A company invites a person, as Customer tells. The membership says what they may do; no role in the platform comes
//! with it.

use quenty_kernel::{
    Scope,
    id::{CompanyId, UserId},
};
use quenty_platform::Tx;
use uuid::Uuid;

use super::mail::{mail_invitation, mail_notice};
use crate::{
    domain::{
        mail::MailKind,
        person::Person,
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
    if store::users::insert(tx.conn(), &user).await? {
        tx.record(user_id, None, &fact)?;
        return mail_invitation(tx, user_id).await;
    }
    // The id or the address is known: a second invitation, or a person who has an account.
    let known = match store::users::lock(tx.conn(), Scope::All, user_id).await? {
        Some(known) => Some(known),
        None => store::users::lock_by_login(tx.conn(), person.email.as_str()).await?,
    };
    let Some(known) = known else { return Ok(()) };
    match known.status() {
        UserStatus::PendingVerification => mail_invitation(tx, known.id()).await,
        UserStatus::Active => {
            mail_notice(tx, known.id(), MailKind::CompanyInvitation, cause, Some(company_id))
        }
        // Who was deactivated is let in again by staff, and by nobody else.
        UserStatus::Suspended => Ok(()),
    }
}
