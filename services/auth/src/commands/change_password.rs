//! A person changes the own password; every other session of theirs ends.

use quenty_kernel::{
    Scope,
    clock::wall_now,
    id::{SessionId, UserId, new_uuid},
};
use quenty_platform::Tx;

use super::{Outcome, Which, end_sessions, mail::mail_notice, record_access};
use crate::{
    domain::{
        lockout::{self, Lockout},
        mail::MailKind,
        origin::Origin,
        password::REMEMBERED,
        user::UserStatus,
    },
    error::Error,
    store,
};

/// A new password, for one that was proved to be known.
#[derive(Debug)]
pub struct NewPassword {
    /// The id of the one that was proved.
    pub proved: i64,
    pub hash: String,
}

/// Sets the new password, or counts a wrong current one (`None`) as a failed login, so that a stolen session is no
/// way around the lock. The inner error must be committed, too.
pub async fn change_password(
    tx: &mut Tx,
    id: UserId,
    session: SessionId,
    new: Option<NewPassword>,
    origin: &Origin,
) -> Result<Result<(), Error>, Error> {
    let (account, now) = (lockout::account(Some(id), ""), wall_now());
    let before = store::lockouts::lock(tx.conn(), &account, &origin.address).await?;
    if let Some(retry_after) = before.and_then(|lockout| lockout.wait(now)) {
        return Ok(Err(Error::TooManyAttempts { retry_after }));
    }
    let found = store::users::lock(tx.conn(), Scope::All, id).await?;
    let mut user = found.filter(|user| user.status() == UserStatus::Active).ok_or(Error::Suspended)?;
    // Under the user's lock: what was proved may have been replaced since.
    let current = store::passwords::current(tx.conn(), id).await?;
    let Some(new) = new.filter(|new| Some(new.proved) == current) else {
        store::lockouts::save(tx.conn(), &account, &origin.address, &Lockout::after_failure(before, now))
            .await?;
        record_access(tx, "change_password", Outcome::Refused, Some(id), None, origin)?;
        return Ok(Err(Error::WrongPassword));
    };
    let fact = user.change_password(tx.now());
    store::users::save(tx.conn(), &user).await?;
    store::passwords::insert(tx.conn(), id, &new.hash, REMEMBERED, now).await?;
    store::password_resets::use_all(tx.conn(), id, now).await?;
    tx.record(id, None, &fact)?;
    mail_notice(tx, id, MailKind::PasswordChanged, new_uuid(), None)?;
    end_sessions(tx, id, Which::AllBut(session), "password_changed").await?;
    record_access(tx, "change_password", Outcome::Succeeded, Some(id), None, origin)?;
    Ok(Ok(()))
}
