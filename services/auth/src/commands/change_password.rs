//! A person changes the own password; every other session of theirs ends.

use quenty_kernel::{
    Scope,
    clock::wall_now,
    id::{SessionId, UserId},
};
use quenty_platform::Tx;

use super::{Outcome, Which, end_sessions, record_access};
use crate::{
    domain::{
        lockout::{self, Lockout},
        origin::Origin,
        password::REMEMBERED,
        user::UserStatus,
    },
    error::Error,
    store,
};

/// Sets the new password.
pub async fn change_password(
    tx: &mut Tx,
    user: UserId,
    session: Option<SessionId>,
    password_hash: &str,
    origin: &Origin,
) -> Result<(), Error> {
    let found = store::users::lock(tx.conn(), Scope::All, user).await?;
    let mut user = found.filter(|user| user.status() == UserStatus::Active).ok_or(Error::Suspended)?;
    let fact = user.change_password(tx.now());
    store::users::save(tx.conn(), &user).await?;
    store::passwords::insert(tx.conn(), user.id(), password_hash, REMEMBERED, wall_now()).await?;
    tx.record(user.id(), None, &fact)?;
    end_sessions(tx, user.id(), Which::AllBut(session), "password_changed").await?;
    record_access(tx, "change_password", Outcome::Succeeded, Some(user.id()), None, origin)
}

/// Counts a wrong current password as a failed login, so that a stolen session is no way around the lock.
pub async fn refuse_change_password(tx: &mut Tx, user: UserId, origin: &Origin) -> Result<(), Error> {
    let (account, now) = (lockout::account(Some(user), ""), wall_now());
    let before = store::lockouts::lock(tx.conn(), &account, &origin.address).await?;
    store::lockouts::save(tx.conn(), &account, &origin.address, &Lockout::after_failure(before, now)).await?;
    record_access(tx, "change_password", Outcome::Refused, Some(user), None, origin)
}
