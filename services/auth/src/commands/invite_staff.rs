//! Staff invite somebody to work for the platform. The inviter's own token is the authority: nothing else gives a
//! person their first role in the platform.

use quenty_kernel::{Scope, id::UserId};
use quenty_platform::Tx;

use super::{Authority, Outcome, govern::ensure_known, mail::mail_invitation, record_access};
use crate::{
    domain::{
        origin::Origin,
        person::Person,
        user::{User, UserStatus},
    },
    error::Error,
    store,
};

/// The invited person, who may do nothing before they answer.
pub async fn invite_staff(
    tx: &mut Tx,
    authority: Authority<'_>,
    person: &Person,
    mut roles: Vec<String>,
    origin: &Origin,
) -> Result<User, Error> {
    if authority.scope != Scope::All {
        return Err(Error::StaffOnly);
    }
    roles.sort_unstable();
    roles.dedup();
    if roles.is_empty() {
        return Err(Error::NoRole);
    }
    store::users::lock_staff(tx.conn()).await?;
    ensure_known(tx, &roles).await?;
    authority.check(tx, &roles).await?;
    let (user, fact) = User::invite(UserId::new(), person, roles.clone(), tx.now());
    let user = if store::users::insert(tx.conn(), &user).await? {
        tx.record(user.id(), None, &fact)?;
        user
    } else {
        add_roles(tx, authority, person, roles).await?
    };
    mail_invitation(tx, user.id()).await?;
    record_access(tx, "invite_user", Outcome::Succeeded, Some(user.id()), None, origin)?;
    Ok(user)
}

/// A second invitation adds to the first; who has an account is given roles instead.
async fn add_roles(
    tx: &mut Tx,
    authority: Authority<'_>,
    person: &Person,
    roles: Vec<String>,
) -> Result<User, Error> {
    let known = store::users::lock_by_login(tx.conn(), person.email.as_str()).await?;
    let mut user = known.ok_or(Error::NotFound("user"))?;
    if user.status() != UserStatus::PendingVerification {
        return Err(Error::UserExists(user.id()));
    }
    authority.check(tx, user.roles()).await?;
    if roles.iter().all(|role| user.roles().contains(role)) {
        return Ok(user);
    }
    let mut all = [user.roles(), &roles].concat();
    all.sort_unstable();
    all.dedup();
    let fact = user.assign_roles(all, tx.now());
    store::users::save(tx.conn(), &user).await?;
    tx.record(user.id(), None, &fact)?;
    Ok(user)
}
