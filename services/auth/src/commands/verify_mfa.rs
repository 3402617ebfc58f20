//! The second step of a login: a code of the authenticator app, or one of the recovery codes.

use quenty_kernel::{clock::wall_now, id::UserId};
use quenty_platform::Tx;

use super::{
    Tokens,
    login::{record_failure, start_session},
};
use crate::{
    domain::{
        mfa::{Challenge, RecoveryCode, is_totp},
        origin::Origin,
        rate_limit::MFA_FAILURES,
        secret::OpaqueToken,
        session::PASSWORD_AND_CODE,
        user::{User, UserStatus},
    },
    error::Error,
    parts::TokenKeys,
    store,
};

/// Starts the session, or tells why not; either must be committed.
pub async fn verify_mfa(
    tx: &mut Tx,
    token: &OpaqueToken,
    code: &str,
    origin: &Origin,
) -> Result<Result<Tokens, Error>, Error> {
    let hash = token.hash();
    let Some((challenge, user)) = open(tx, &hash).await? else { return Ok(Err(Error::BadMfaToken)) };
    if let Err(refused) = prove_code(tx, user.id(), code, origin).await? {
        if matches!(refused, Error::BadCode) {
            store::mfa::fail_challenge(tx.conn(), &hash).await?;
        }
        return Ok(Err(refused));
    }
    store::mfa::delete_challenge(tx.conn(), &hash).await?;
    start_session(tx, &user, &PASSWORD_AND_CODE, challenge.device, origin).await.map(Ok)
}

/// Uses the code up, if it is right; a wrong one is counted and on record, so either must be committed. Under the lock
/// of the user.
pub(super) async fn prove_code(
    tx: &mut Tx,
    user: UserId,
    code: &str,
    origin: &Origin,
) -> Result<Result<(), Error>, Error> {
    let failed = store::rate_limits::find(tx.conn(), &MFA_FAILURES.bucket(&user.to_string())).await?;
    if let Some(retry_after) = MFA_FAILURES.wait(failed, wall_now()) {
        return Ok(Err(Error::TooManyAttempts { retry_after }));
    }
    if takes(tx, user, code).await? {
        return Ok(Ok(()));
    }
    refuse(tx, user, "bad_code", origin).await.map(|()| Err(Error::BadCode))
}

/// The login that waits for its second step, and its user, both locked; nothing when it is over or the password was
/// replaced since.
pub(super) async fn open(tx: &mut Tx, token: &[u8; 32]) -> Result<Option<(Challenge, User)>, Error> {
    let Some(challenge) = store::mfa::lock_challenge(tx.conn(), token).await? else { return Ok(None) };
    let id = challenge.user_id;
    let user = store::users::lock(tx.conn(), id).await?;
    let current = store::passwords::current(tx.conn(), id).await?;
    let is_open = challenge.is_open(wall_now()) && current == Some(challenge.password_id);
    let user = user.filter(|user| is_open && user.status() == UserStatus::Active);
    Ok(user.map(|user| (challenge, user)))
}

/// Uses the code up, if it is right.
async fn takes(tx: &mut Tx, user: UserId, code: &str) -> Result<bool, Error> {
    let (key, now) = (tx.app().part::<TokenKeys>()?.mfa.clone(), wall_now());
    if !is_totp(code) {
        let mac = RecoveryCode::read(code).mac(&key, user);
        return Ok(store::mfa::use_code(tx.conn(), user, &mac).await?);
    }
    let factor = store::mfa::find_totp(tx.conn(), user, &key).await?;
    let confirmed = factor.filter(|factor| factor.is_confirmed);
    let Some(step) = confirmed.and_then(|factor| factor.secret.step_of(code, factor.last_step, now)) else {
        return Ok(false);
    };
    store::mfa::take_step(tx.conn(), user, step, now).await?;
    Ok(true)
}

/// A wrong second factor is counted, of whichever kind it is, and on record.
pub(super) async fn refuse(tx: &mut Tx, user: UserId, reason: &str, origin: &Origin) -> Result<(), Error> {
    let bucket = MFA_FAILURES.bucket(&user.to_string());
    store::rate_limits::hit(tx.conn(), &MFA_FAILURES, &bucket, wall_now()).await?;
    record_failure(tx, Some(user), None, reason, origin)
}
