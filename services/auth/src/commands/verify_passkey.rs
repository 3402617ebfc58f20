//! A passkey proves who somebody is: in the second step of a login, once more in a session, or alone.

use quenty_kernel::{
    clock::wall_now,
    id::{SessionId, UserId},
};
use quenty_platform::Tx;
use serde_json::Value;

use super::{
    Tokens,
    login::{record_failure, start_session},
    passkeys::keep_asked,
    prove_password::own_session,
    verify_mfa::{open, refuse},
};
use crate::{
    domain::{
        origin::Origin,
        passkey::{Assertion, LoneAssertion, Passkey, Purpose, RelyingParty, Unproved, challenge_of},
        rate_limit::{FAILURES_OF_ADDRESS, PASSKEYS_ASKED},
        secret::OpaqueToken,
        session::{passkey_alone, password_and_passkey},
        user::UserStatus,
    },
    error::Error,
    store,
};

/// What the browser is told in the second step of a login.
pub async fn ask_passkey(tx: &mut Tx, token: &OpaqueToken) -> Result<Value, Error> {
    let hash = token.hash();
    let (_, user) = open(tx, &hash).await?.ok_or(Error::BadMfaToken)?;
    ask_one_of(tx, user.id(), (Purpose::SecondStep, &hash)).await
}

/// What the browser is told where a session's person proves once more to be it.
pub async fn ask_own_passkey(tx: &mut Tx, user: UserId, session: SessionId) -> Result<Value, Error> {
    let session = own_session(tx, user, session).await?;
    ask_one_of(tx, user, (Purpose::Reauthentication, session.id.uuid().as_bytes())).await
}

async fn ask_one_of(tx: &mut Tx, user: UserId, key: (Purpose, &[u8])) -> Result<Value, Error> {
    let known = store::passkeys::of_user(tx.conn(), user).await?;
    if known.is_empty() {
        return Err(Error::NoPasskey);
    }
    let app = tx.app().clone();
    let asked = app.part::<RelyingParty>()?.ask_one_of(&known)?;
    keep_asked(tx, key, asked).await
}

/// Starts the session, or tells why not; either must be committed.
pub async fn verify_passkey(
    tx: &mut Tx,
    token: &OpaqueToken,
    answer: &Assertion,
    origin: &Origin,
) -> Result<Result<Tokens, Error>, Error> {
    let hash = token.hash();
    let Some((challenge, user)) = open(tx, &hash).await? else { return Ok(Err(Error::BadMfaToken)) };
    let (who, asked) = ((user.id(), Some(challenge.password_id)), (Purpose::SecondStep, hash.as_slice()));
    let kept_in = match prove_passkey(tx, who, asked, answer, origin).await? {
        Ok(kept_in) => kept_in,
        Err(refused) => {
            if matches!(refused, Error::BadPasskey) {
                store::mfa::fail_challenge(tx.conn(), &hash).await?;
            }
            return Ok(Err(refused));
        }
    };
    store::mfa::delete_challenge(tx.conn(), &hash).await?;
    start_session(tx, &user, &password_and_passkey(kept_in), challenge.device, origin).await.map(Ok)
}

/// Uses up what was asked, and tells where the key lies if the answer is right; beside the person's password, if that was
/// given. A wrong one is counted and on record, so either must be committed. However many came before, a right one counts: a
/// signature cannot be guessed, and nobody's guesses of codes keep its owner out. Under the lock of the user.
pub(super) async fn prove_passkey(
    tx: &mut Tx,
    (user, password): (UserId, Option<i64>),
    asked: (Purpose, &[u8]),
    answer: &Assertion,
    origin: &Origin,
) -> Result<Result<&'static str, Error>, Error> {
    let (app, now) = (tx.app().clone(), wall_now());
    let state = store::passkeys::take_ceremony(tx.conn(), asked, now).await?;
    let known = store::passkeys::of_user(tx.conn(), user).await?;
    let used = known.into_iter().find(|passkey| passkey.credential.id == answer.0.raw_id().as_ref());
    let proof = match state.zip(used) {
        Some((state, mut passkey)) => {
            let kept_in = app.part::<RelyingParty>()?.prove(&state, answer, &mut passkey);
            kept_in.map(|kept_in| (kept_in, passkey))
        }
        None => Err(Unproved::unasked()),
    };
    match proof {
        Ok((kept_in, passkey)) => {
            let password_id = password.unwrap_or(passkey.password_id);
            let used = Passkey { password_id, last_used_at: Some(now), ..passkey };
            store::passkeys::save(tx.conn(), &used).await?;
            Ok(Ok(kept_in))
        }
        Err(why) => {
            tracing::info!(user_id = %user, %why, "a passkey was refused");
            refuse(tx, user, why.reason(), origin).await.map(|()| Err(Error::BadPasskey))
        }
    }
}

/// What the browser is told where nobody has told who they are. The inner error must be committed, too.
pub async fn ask_any_passkey(tx: &mut Tx, origin: &Origin) -> Result<Result<Value, Error>, Error> {
    let (bucket, now) = (PASSKEYS_ASKED.bucket(&origin.network()), wall_now());
    if let Some(retry_after) = store::rate_limits::hit(tx.conn(), &PASSKEYS_ASKED, &bucket, now).await? {
        return Ok(Err(Error::TooManyAttempts { retry_after }));
    }
    let app = tx.app().clone();
    let asked = app.part::<RelyingParty>()?.ask_any()?;
    let challenge = asked.challenge;
    keep_asked(tx, (Purpose::Login, &challenge), asked).await.map(Ok)
}

/// Starts the session of whose passkey this is, or tells why not; either is on record and must be committed.
///
/// A signature cannot be guessed: failures count against the address alone, and a device that its person has logged in with
/// does not wait for those of others there.
pub async fn login_with_passkey(
    tx: &mut Tx,
    answer: &LoneAssertion,
    device_token: Option<&OpaqueToken>,
    origin: &Origin,
) -> Result<Result<Tokens, Error>, Error> {
    let now = wall_now();
    let found = store::passkeys::by_credential(tx.conn(), answer.0.raw_id().as_ref()).await?;
    let owner = found.map(|passkey| passkey.user_id);
    let device = store::devices::find(tx.conn(), owner, device_token, now).await?;
    if device.is_none() {
        let bucket = FAILURES_OF_ADDRESS.bucket(&origin.network());
        let failed = store::rate_limits::find(tx.conn(), &bucket).await?;
        if let Some(retry_after) = FAILURES_OF_ADDRESS.wait(failed, now) {
            return Ok(Err(Error::TooManyAttempts { retry_after }));
        }
    }
    let state = match challenge_of(answer) {
        Some(challenge) => {
            store::passkeys::take_ceremony(tx.conn(), (Purpose::Login, &challenge), now).await?
        }
        None => None,
    };
    let Some(owner) = owner else {
        return refuse_login(tx, None, &Unproved::unasked(), origin).await;
    };
    let user = store::users::lock(tx.conn(), owner).await?.ok_or(Error::NotFound("user"))?;
    // Again, under the lock of its owner: the counter goes forward one by one.
    let found = store::passkeys::by_credential(tx.conn(), answer.0.raw_id().as_ref()).await?;
    let app = tx.app().clone();
    let proof = match state.zip(found.filter(|passkey| passkey.user_id == owner)) {
        Some((state, mut passkey)) => {
            let kept_in = app.part::<RelyingParty>()?.prove_alone(&state, answer, &mut passkey);
            kept_in.map(|kept_in| (kept_in, passkey))
        }
        None => Err(Unproved::unasked()),
    };
    let (kept_in, passkey) = match proof {
        Ok(proved) => proved,
        Err(why) => return refuse_login(tx, Some(owner), &why, origin).await,
    };
    store::passkeys::save(tx.conn(), &Passkey { last_used_at: Some(now), ..passkey.clone() }).await?;
    if user.status() != UserStatus::Active {
        return record_failure(tx, Some(owner), None, "not_active", origin).map(|()| Err(Error::Suspended));
    }
    // Whoever stole the password may have added it: it does not outlive the next one alone.
    if store::passwords::current(tx.conn(), owner).await? != Some(passkey.password_id) {
        return record_failure(tx, Some(owner), None, "old_passkey", origin)
            .map(|()| Err(Error::PasskeyNeedsPassword));
    }
    start_session(tx, &user, &passkey_alone(kept_in), device, origin).await.map(Ok)
}

async fn refuse_login(
    tx: &mut Tx,
    user: Option<UserId>,
    why: &Unproved,
    origin: &Origin,
) -> Result<Result<Tokens, Error>, Error> {
    tracing::info!(user_id = user.map(tracing::field::display), %why, "a passkey was refused");
    let bucket = FAILURES_OF_ADDRESS.bucket(&origin.network());
    store::rate_limits::hit(tx.conn(), &FAILURES_OF_ADDRESS, &bucket, wall_now()).await?;
    record_failure(tx, user, None, why.reason(), origin).map(|()| Err(Error::BadPasskey))
}
