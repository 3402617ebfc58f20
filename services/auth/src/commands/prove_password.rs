//! What a session alone is not enough for: the person proves once more to be it, as at a login. Wrong passwords end the
//! session, so that a stolen one is no way around the lock of logins, and who guesses keeps no owner from it.

use quenty_kernel::{
    clock::wall_now,
    id::{SessionId, UserId},
};
use quenty_platform::Tx;

use super::{
    Outcome, Which, end_sessions, login::count_failure, record_access, record_bounded,
    verify_mfa::prove_code, verify_passkey::prove_passkey,
};
use crate::{
    domain::{
        lockout::{self, Lockout},
        origin::Origin,
        passkey::{Assertion, Purpose},
        session::Session,
        user::{User, UserStatus},
    },
    error::Error,
    store,
};

/// The user, locked, whose current password was given: `proved` is its id, none when it was a wrong one. As many as lock
/// an address at logins end the session: its owner logs in again, a thief cannot. The inner error must be committed, too.
pub(super) async fn prove_password(
    tx: &mut Tx,
    id: UserId,
    session: SessionId,
    proved: Option<i64>,
    operation: &str,
    origin: &Origin,
) -> Result<Result<User, Error>, Error> {
    let (account, now) = (lockout::account(Some(id), ""), wall_now());
    let place = lockout::place_of_session(session);
    let before = store::lockouts::lock(tx.conn(), &account, &place).await?;
    let found = store::users::lock(tx.conn(), id).await?;
    let user = found.filter(|user| user.status() == UserStatus::Active).ok_or(Error::Suspended)?;
    own_session(tx, id, session).await?;
    // Under the user's lock: what was proved may have been replaced since.
    if proved.is_none() || proved != store::passwords::current(tx.conn(), id).await? {
        let failed = Lockout::after_failure(before, now);
        store::lockouts::save(tx.conn(), &account, &place, &failed).await?;
        count_failure(tx, &account, origin).await?;
        record_access(tx, operation, Outcome::Refused, Some(id), None, origin)?;
        if failed.is_locked(now) {
            end_sessions(tx, id, Which::Only(session), "wrong_passwords").await?;
        }
        return Ok(Err(Error::WrongPassword));
    }
    store::lockouts::clear(tx.conn(), &account, &place).await?;
    Ok(Ok(user))
}

/// What is given beside the password.
#[derive(Debug, Clone, Copy)]
pub enum Beside<'a> {
    Nothing,
    Code(&'a str),
    Passkey(&'a Assertion),
}

/// The session may change what else proves who its person is, for a few minutes. Who has a second factor gives it, too:
/// a stolen password is no way to be rid of it.
pub async fn reauthenticate(
    tx: &mut Tx,
    id: UserId,
    session: SessionId,
    (proved, beside): (Option<i64>, Beside<'_>),
    origin: &Origin,
) -> Result<Result<(), Error>, Error> {
    if let Err(refused) = prove_password(tx, id, session, proved, "reauthenticate", origin).await? {
        return Ok(Err(refused));
    }
    if store::mfa::methods(tx.conn(), id).await?.is_enabled() {
        let proof = match beside {
            Beside::Nothing => Err(Error::CodeNeeded),
            Beside::Code(code) => prove_code(tx, id, code, origin).await?,
            Beside::Passkey(answer) => {
                let owner = session.uuid();
                let asked = (Purpose::Reauthentication, owner.as_bytes().as_slice());
                prove_passkey(tx, (id, proved), asked, answer, origin).await?.map(drop)
            }
        };
        match proof {
            Err(Error::BadCode) => return Ok(Err(Error::WrongCode)),
            Err(Error::BadPasskey) => return Ok(Err(Error::WrongPasskey)),
            Err(refused) => {
                record_bounded(tx, "reauthenticate", Outcome::Refused, Some(id), origin).await?;
                return Ok(Err(refused));
            }
            Ok(()) => {}
        }
    }
    let mut session = own_session(tx, id, session).await?;
    session.authenticated_at = wall_now();
    store::sessions::save(tx.conn(), &session).await?;
    record_access(tx, "reauthenticate", Outcome::Succeeded, Some(id), None, origin)?;
    Ok(Ok(()))
}

/// The user, locked, and the session, if the person proved to be it a moment ago.
pub(super) async fn stepped_up(
    tx: &mut Tx,
    user: UserId,
    session: SessionId,
) -> Result<(User, Session), Error> {
    let found = store::users::lock(tx.conn(), user).await?;
    let user = found.filter(|user| user.status() == UserStatus::Active).ok_or(Error::Suspended)?;
    let session = own_session(tx, user.id(), session).await?;
    if session.is_fresh(wall_now()) { Ok((user, session)) } else { Err(Error::ProofTooOld) }
}

/// The person's own live session, locked.
pub(super) async fn own_session(tx: &mut Tx, user: UserId, id: SessionId) -> Result<Session, Error> {
    let session = store::sessions::lock(tx.conn(), id).await?;
    session.filter(|session| session.user_id == user && session.is_live(wall_now())).ok_or(Error::NoSession)
}
