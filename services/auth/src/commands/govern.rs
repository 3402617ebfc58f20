//! What staff do to other people's accounts, under the two rules of that: nobody gives, takes or overrules what
//! they do not hold themselves, and the last active super_admin stays.

use quenty_kernel::{
    clock::wall_now,
    id::{SessionId, UserId, new_uuid},
};
use quenty_platform::{Tx, http::IfMatch};

use super::{
    Outcome, Which, api_keys::revoke_api_keys, end_sessions, mail::mail_notice, prove_password::stepped_up,
    record_access, revoke_user, roles::permissions_of,
};
use crate::{
    domain::{
        lockout,
        mail::MailKind,
        origin::Origin,
        rate_limit::MFA_FAILURES,
        role::{self, SUPER_ADMIN, Sphere, covers},
        user::{User, UserStatus},
    },
    error::Error,
    store,
};

/// On whose authority, and from where.
#[derive(Debug, Clone, Copy)]
pub struct Authority<'a> {
    pub user: UserId,
    pub session: SessionId,
    /// The permissions of the caller's token.
    pub held: &'a [String],
    pub origin: &'a Origin,
}

impl Authority<'_> {
    /// Before what would outlive a stolen session: the caller proved to be it a moment ago. Nothing else is locked yet.
    pub(super) async fn prove(&self, tx: &mut Tx) -> Result<(), Error> {
        store::users::lock_staff(tx.conn()).await?;
        stepped_up(tx, self.user, self.session).await.map(drop)
    }

    pub(super) async fn check(&self, tx: &mut Tx, roles: &[String]) -> Result<(), Error> {
        let wanted = permissions_of(tx, roles).await?;
        if covers(self.held, wanted.iter().map(String::as_str)) {
            Ok(())
        } else {
            Err(Error::BeyondOwnPermissions)
        }
    }

    /// The user, locked, if the caller holds all that they hold.
    pub(super) async fn lock(&self, tx: &mut Tx, id: UserId) -> Result<User, Error> {
        store::users::lock_staff(tx.conn()).await?;
        let user = store::users::lock(tx.conn(), id).await?.ok_or(Error::NotFound("user"))?;
        self.check(tx, user.roles()).await?;
        Ok(user)
    }

    /// It was done, to this user.
    pub(super) fn record(&self, tx: &mut Tx, operation: &str, id: UserId) -> Result<(), Error> {
        record_access(tx, operation, Outcome::Succeeded, Some(id), None, self.origin)
    }
}

async fn keep_one_super_admin(tx: &mut Tx, user: &User) -> Result<(), Error> {
    if user.is_active_super_admin() && store::users::active_super_admins(tx.conn()).await?.len() <= 1 {
        return Err(Error::LastSuperAdmin);
    }
    Ok(())
}

pub async fn suspend_user(
    tx: &mut Tx,
    authority: Authority<'_>,
    id: UserId,
    reason: &str,
) -> Result<User, Error> {
    let user = authority.lock(tx, id).await?;
    let user = suspend(tx, user, reason).await?;
    authority.record(tx, "suspend_user", id)?;
    Ok(user)
}

async fn suspend(tx: &mut Tx, mut user: User, reason: &str) -> Result<User, Error> {
    keep_one_super_admin(tx, &user).await?;
    let fact = user.suspend(reason, tx.now())?;
    store::users::save(tx.conn(), &user).await?;
    store::links::use_all(tx.conn(), user.id(), wall_now()).await?;
    store::password_resets::use_all(tx.conn(), user.id(), wall_now()).await?;
    tx.record(user.id(), None, &fact)?;
    // They would come to life again with the person.
    revoke_api_keys(tx, user.id(), None, None).await?;
    end_sessions(tx, user.id(), Which::All, "suspended").await?;
    // What has no session, as an API key's tokens, ends as well.
    revoke_user(tx, user.id()).await?;
    Ok(user)
}

pub async fn reactivate_user(tx: &mut Tx, authority: Authority<'_>, id: UserId) -> Result<User, Error> {
    let mut user = authority.lock(tx, id).await?;
    let fact = user.reactivate(tx.now())?;
    store::users::save(tx.conn(), &user).await?;
    tx.record(id, None, &fact)?;
    authority.record(tx, "reactivate_user", id)?;
    Ok(user)
}

/// Failures of before keep the person out of no address any more, nor from giving a code.
pub async fn unlock_user(tx: &mut Tx, authority: Authority<'_>, id: UserId) -> Result<(), Error> {
    let user = authority.lock(tx, id).await?;
    store::lockouts::clear_account(tx.conn(), &lockout::account(Some(user.id()), "")).await?;
    store::rate_limits::clear(tx.conn(), &MFA_FAILURES.bucket(&id.to_string())).await?;
    authority.record(tx, "unlock_user", id)
}

/// Takes every second factor from a person who has lost them: the password is enough until there is another one. All
/// sessions end, and the person is told by mail. Nobody does it to themselves: a stolen session would be rid of the
/// factor so.
pub async fn reset_mfa(tx: &mut Tx, authority: Authority<'_>, id: UserId, reason: &str) -> Result<(), Error> {
    if id == authority.user {
        return Err(Error::OwnMfa);
    }
    authority.prove(tx).await?;
    let mut user = authority.lock(tx, id).await?;
    let methods = store::mfa::methods(tx.conn(), id).await?;
    if !methods.is_enabled() {
        return Err(Error::NoFactor);
    }
    store::mfa::delete_totp(tx.conn(), id).await?;
    store::passkeys::delete_all(tx.conn(), id).await?;
    store::mfa::replace_codes(tx.conn(), id, &[]).await?;
    store::rate_limits::clear(tx.conn(), &MFA_FAILURES.bucket(&id.to_string())).await?;
    let mut facts = vec![user.reset_mfa(reason, tx.now())];
    facts.extend(methods.names().map(|method| user.disable_mfa(method, tx.now())));
    store::users::save(tx.conn(), &user).await?;
    for fact in &facts {
        tx.record(id, None, fact)?;
    }
    end_sessions(tx, id, Which::All, "mfa_reset").await?;
    revoke_user(tx, id).await?;
    mail_notice(tx, id, MailKind::MfaReset, new_uuid(), None)?;
    authority.record(tx, "reset_mfa", id)
}

pub(super) async fn ensure_known(tx: &mut Tx, roles: &[String]) -> Result<(), Error> {
    let custom = store::custom_roles::named(tx.conn(), roles).await?;
    let is_known = |name: &String| {
        role::find(Sphere::Platform, name).is_some() || custom.iter().any(|role| role.name == *name)
    };
    match roles.iter().find(|name| !is_known(name)) {
        Some(unknown) => Err(Error::NoSuchRole(unknown.clone())),
        None => Ok(()),
    }
}

/// The person is told by mail.
pub async fn assign_roles(
    tx: &mut Tx,
    authority: Authority<'_>,
    id: UserId,
    seen: IfMatch,
    mut roles: Vec<String>,
) -> Result<User, Error> {
    roles.sort_unstable();
    roles.dedup();
    authority.prove(tx).await?;
    ensure_known(tx, &roles).await?;
    authority.check(tx, &roles).await?;
    let mut user = authority.lock(tx, id).await?;
    seen.check(user.version())?;
    if user.roles() == roles {
        return Ok(user);
    }
    if !roles.iter().any(|name| name == SUPER_ADMIN) {
        keep_one_super_admin(tx, &user).await?;
    }
    give_roles(tx, &mut user, roles).await?;
    mail_notice(tx, id, MailKind::RolesChanged, new_uuid(), None)?;
    revoke_user(tx, id).await?;
    authority.record(tx, "assign_roles", id)?;
    Ok(user)
}

pub(super) async fn give_roles(tx: &mut Tx, user: &mut User, roles: Vec<String>) -> Result<(), Error> {
    let before = user.roles().to_vec();
    let fact = user.assign_roles(roles, tx.now());
    store::users::save(tx.conn(), user).await?;
    tx.record(user.id(), None, &fact)?;
    tell_super_admins(tx, &before, user).await
}

/// Nobody becomes one of them unnoticed.
pub(super) async fn tell_super_admins(tx: &mut Tx, before: &[String], user: &User) -> Result<(), Error> {
    let is_one = |roles: &[String]| roles.iter().any(|role| role == SUPER_ADMIN);
    if is_one(before) || !is_one(user.roles()) {
        return Ok(());
    }
    for id in store::users::active_super_admins(tx.conn()).await? {
        if id != user.id() {
            mail_notice(tx, id, MailKind::SuperAdminMade, new_uuid(), None)?;
        }
    }
    Ok(())
}

/// Customer deactivated the person: they are suspended here, and an open invitation works no more.
///
/// An event says who caused it, and nothing proves that: it is no authority over the platform's own people. Who has
/// platform roles is suspended by our own operation only; Customer is told, so that nobody is deactivated there and
/// active here.
pub async fn deactivate_user(tx: &mut Tx, id: UserId, reason: &str) -> Result<(), Error> {
    let Some(mut user) = store::users::lock(tx.conn(), id).await? else { return Ok(()) };
    if user.status() == UserStatus::Suspended {
        return Ok(());
    }
    if user.roles().is_empty() {
        return suspend(tx, user, reason).await.map(drop);
    }
    tracing::warn!(user_id = %id, "a deactivation was refused: the person has platform roles");
    let fact = user.stay(tx.now());
    store::users::save(tx.conn(), &user).await?;
    Ok(tx.record(id, None, &fact)?)
}
