//! Customer asks us to invite a person: staff of the platform, or a member of a company.

use quenty_kernel::{
    Actor, Scope,
    id::{CompanyId, UserId},
};
use quenty_platform::Tx;
use uuid::Uuid;

use super::{
    govern::held_by,
    mail::{mail_invitation, mail_notice},
};
use crate::{
    domain::{
        mail::MailKind,
        person::Person,
        role::{self, Sphere, covers, permissions_of_platform_roles},
        user::{User, UserStatus},
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
    // Nobody gives what they do not hold.
    let wanted = permissions_of_platform_roles(&roles);
    if !covers(&held_by(tx, &inviter).await?, wanted.iter().map(String::as_str)) {
        tracing::warn!(%user_id, %inviter, ?roles, "an invitation was refused: its roles are beyond the inviter's own permissions");
        return Ok(());
    }
    let (user, fact) = User::invite(user_id, &person, roles.clone(), tx.now());
    if store::users::insert(tx.conn(), &user).await? {
        tx.record(user_id, None, &fact)?;
        return mail_invitation(tx, user_id).await;
    }
    // The id or the address is known: a second invitation, or a person who has an account.
    let known = match store::users::lock(tx.conn(), Scope::All, user_id).await? {
        Some(known) => Some(known),
        None => store::users::lock_by_login(tx.conn(), person.email.as_str()).await?,
    };
    let Some(mut known) = known else { return Ok(()) };
    match (known.status(), company_id) {
        (UserStatus::PendingVerification, _) => {
            add_roles(tx, &mut known, roles).await?;
            mail_invitation(tx, known.id()).await
        }
        (UserStatus::Active, Some(company)) => {
            mail_notice(tx, known.id(), MailKind::CompanyInvitation, cause, Some(company))
        }
        (UserStatus::Active, None) => {
            tracing::warn!(user_id = %known.id(), "an invitation to the platform came for a person who has an account; assign roles instead");
            Ok(())
        }
        // Who was deactivated is let in again by staff, and by nobody else.
        (UserStatus::Suspended, _) => Ok(()),
    }
}

/// A second invitation adds to the first.
async fn add_roles(tx: &mut Tx, user: &mut User, roles: Vec<String>) -> Result<(), Error> {
    if roles.iter().all(|role| user.roles().contains(role)) {
        return Ok(());
    }
    let mut all = [user.roles(), &roles].concat();
    all.sort_unstable();
    all.dedup();
    let fact = user.assign_roles(all, tx.now());
    store::users::save(tx.conn(), user).await?;
    Ok(tx.record(user.id(), None, &fact)?)
}
