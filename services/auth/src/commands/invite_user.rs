//! Customer asks us to invite a person: staff of the platform, or a member of a company.

use quenty_kernel::{
    Actor, Scope,
    id::{CompanyId, UserId},
};
use quenty_platform::Tx;
use uuid::Uuid;

use super::mail::{mail_link, mail_notice};
use crate::{
    domain::{
        link::LinkPurpose,
        mail::MailKind,
        role::{self, Sphere, covers, permissions_of_platform_roles},
        user::{Person, User, UserStatus},
    },
    error::Error,
    store,
};

/// Who is invited to what, by whom.
#[derive(Debug)]
pub struct Invitation {
    /// The event that asks for it: a repeat is the same invitation.
    pub cause: Uuid,
    pub user_id: UserId,
    pub person: Person,
    pub roles: Vec<String>,
    pub company_id: Option<CompanyId>,
    pub inviter: Actor,
}

pub async fn invite_user(tx: &mut Tx, invitation: Invitation) -> Result<(), Error> {
    let Invitation { cause, user_id, person, mut roles, company_id, inviter } = invitation;
    roles.retain(|name| role::find(Sphere::Platform, name).is_some());
    if !may_give(tx, &inviter, &roles).await? {
        tracing::warn!(%user_id, %inviter, ?roles, "an invitation was refused: its roles are beyond the inviter's own permissions");
        return Ok(());
    }
    let (user, fact) = User::invite(user_id, &person, roles, tx.now());
    if store::users::insert(tx.conn(), &user).await? {
        tx.record(user_id, None, &fact)?;
        return mail_link(tx, user_id, LinkPurpose::Invitation).await;
    }
    // The id or the address is known: a second invitation, or a person who has an account.
    let known = match store::users::find(tx.conn(), Scope::All, user_id).await? {
        Some(known) => Some(known),
        None => store::users::find_by_login(tx.conn(), person.email.as_str()).await?,
    };
    let Some(known) = known else { return Ok(()) };
    let is_unanswered = known.status() == UserStatus::PendingVerification
        && store::passwords::latest(tx.conn(), known.id(), 1).await?.is_empty();
    match company_id {
        _ if is_unanswered => mail_link(tx, known.id(), LinkPurpose::Invitation).await,
        Some(company) => mail_notice(tx, known.id(), MailKind::CompanyInvitation, cause, Some(company)),
        None => {
            tracing::warn!(user_id = %known.id(), "an invitation to the platform came for a person who has an account; assign roles instead");
            Ok(())
        }
    }
}

/// Nobody gives what they do not hold; the platform itself gives anything.
async fn may_give(tx: &mut Tx, inviter: &Actor, roles: &[String]) -> Result<bool, Error> {
    let Actor::User(id) = inviter else { return Ok(true) };
    if roles.is_empty() {
        return Ok(true);
    }
    let inviter = store::users::find(tx.conn(), Scope::All, *id).await?;
    let held = inviter.map(|user| permissions_of_platform_roles(user.roles())).unwrap_or_default();
    let wanted = permissions_of_platform_roles(roles);
    Ok(covers(&held, wanted.iter().map(String::as_str)))
}
