//! Staff invite somebody to work for the platform. The inviter's own token is the authority: nothing else gives a
//! person their first role in the platform.

use quenty_kernel::id::UserId;
use quenty_platform::Tx;

use super::{
    Authority,
    govern::{ensure_known, give_roles, tell_super_admins},
    mail::mail_invitation,
};
use crate::{
    domain::{
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
) -> Result<User, Error> {
    roles.sort_unstable();
    roles.dedup();
    if roles.is_empty() {
        return Err(Error::NoRole);
    }
    authority.prove(tx).await?;
    ensure_known(tx, &roles).await?;
    authority.check(tx, &roles).await?;
    let (user, fact) = User::invite(UserId::new(), person, roles.clone(), tx.now());
    let user = if store::users::insert(tx.conn(), &user).await? {
        tx.record(user.id(), None, &fact)?;
        tell_super_admins(tx, &[], &user).await?;
        user
    } else {
        add_roles(tx, authority, person, roles).await?
    };
    mail_invitation(tx, user.id()).await?;
    authority.record(tx, "invite_user", user.id())?;
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
    give_roles(tx, &mut user, all).await?;
    Ok(user)
}
