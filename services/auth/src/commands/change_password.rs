//! A person changes the own password; every other session of theirs ends.

use quenty_kernel::{
    clock::wall_now,
    id::{SessionId, UserId, new_uuid},
};
use quenty_platform::Tx;

use super::{Outcome, Which, end_sessions, mail::mail_notice, prove_password::prove_password, record_access};
use crate::{
    domain::{mail::MailKind, origin::Origin, password::REMEMBERED},
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

/// Sets the new password, or counts a wrong current one (`None`) against the session, which ends with too many of them. The
/// inner error must be committed, too.
pub async fn change_password(
    tx: &mut Tx,
    id: UserId,
    session: SessionId,
    new: Option<NewPassword>,
    origin: &Origin,
) -> Result<Result<(), Error>, Error> {
    let proved = new.as_ref().map(|new| new.proved);
    let mut user = match prove_password(tx, id, session, proved, "change_password", origin).await? {
        Ok(user) => user,
        Err(refused) => return Ok(Err(refused)),
    };
    let Some(new) = new else { return Ok(Err(Error::WrongPassword)) };
    let now = wall_now();
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
