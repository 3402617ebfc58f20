//! The second step of a login: a code of the authenticator app, or one of the recovery codes.

use quenty_contracts::auth::LoginFailed;
use quenty_kernel::{
    Scope,
    clock::wall_now,
    id::{SessionId, UserId},
};
use quenty_platform::Tx;

use super::{Tokens, login::start_session};
use crate::{
    domain::{
        facts::SessionFact,
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
    let Some(challenge) = store::mfa::lock_challenge(tx.conn(), &hash).await? else {
        return Ok(Err(Error::BadMfaToken));
    };
    let Some(user) = open(tx, &challenge).await? else { return Ok(Err(Error::BadMfaToken)) };
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
    let (bucket, now) = (MFA_FAILURES.bucket(&user.to_string()), wall_now());
    let failed = store::rate_limits::find(tx.conn(), &bucket).await?;
    if let Some(retry_after) = MFA_FAILURES.wait(failed, now) {
        return Ok(Err(Error::TooManyAttempts { retry_after }));
    }
    if takes(tx, user, code).await? {
        return Ok(Ok(()));
    }
    store::rate_limits::hit(tx.conn(), &MFA_FAILURES, &bucket, now).await?;
    refuse(tx, user, origin).map(|()| Err(Error::BadCode))
}

/// The user, locked, whose login this is, unless it is over or the password was replaced since.
async fn open(tx: &mut Tx, challenge: &Challenge) -> Result<Option<User>, Error> {
    let id = challenge.user_id;
    let user = store::users::lock(tx.conn(), Scope::All, id).await?;
    let current = store::passwords::current(tx.conn(), id).await?;
    let is_open = challenge.is_open(wall_now()) && current == Some(challenge.password_id);
    Ok(user.filter(|user| is_open && user.status() == UserStatus::Active))
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

fn refuse(tx: &mut Tx, user: UserId, origin: &Origin) -> Result<(), Error> {
    let fact = LoginFailed {
        user_id: Some(user),
        login: None,
        address: origin.address.clone(),
        user_agent: origin.user_agent.clone(),
        reason: "bad_code".to_owned(),
    };
    tx.record_about(SessionId::new(), user, None, &SessionFact::from(fact))?;
    metrics::counter!("quenty_logins_total", "outcome" => "bad_code").increment(1);
    Ok(())
}
