//! Access tokens end before their time, in every process within a second.

use jiff::{SignedDuration, Timestamp};
use quenty_kernel::{
    clock::wall_now,
    id::{CompanyId, SessionId, UserId, new_uuid},
};
use quenty_platform::{Tx, revocations::Revocation};

use crate::{
    domain::{api_key::ApiKey, rate_limit::REVOKED_BY_NAME, session::ACCESS_TOKEN},
    error::Error,
    store,
};

/// A process whose clock is behind believes a token for as much longer.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(1);

fn until() -> Timestamp {
    wall_now() + ACCESS_TOKEN + CLOCK_SKEW
}

/// Of more sessions at once all tokens of their person are revoked: every process reads the list again and again, and
/// nobody is to make it long.
const MOST_BY_NAME: usize = 10;

/// After the locks of rows: [`store::revocations::lock_shared`].
pub async fn revoke_sessions(tx: &mut Tx, user: UserId, sessions: &[SessionId]) -> Result<(), Error> {
    if sessions.is_empty() {
        return Ok(());
    }
    store::revocations::lock_alone(tx.conn()).await?;
    if sessions.len() > MOST_BY_NAME || had_many_by_name(tx, user).await? {
        return revoke_user(tx, user).await;
    }
    for session in sessions {
        store::revocations::insert(tx.conn(), &Revocation::of_session(*session, until())).await?;
    }
    Ok(())
}

/// The key works no more, or not by the secret of before: then only tokens of before are over. Where none can be left there
/// is nothing to list: whoever makes keys and revokes them again and again does not make the list long.
pub async fn revoke_tokens_of_key(tx: &mut Tx, key: &ApiKey) -> Result<(), Error> {
    // In any case: whoever exchanges the key at this moment has done so before, or finds it revoked.
    store::revocations::lock_alone(tx.conn()).await?;
    if !key.may_have_tokens(wall_now()) {
        return Ok(());
    }
    if had_many_by_name(tx, key.user_id).await? {
        return revoke_user(tx, key.user_id).await;
    }
    let issued_before = key.revoked_at.is_none().then(new_uuid);
    let revocation = Revocation { issued_before, ..Revocation::of_api_key(key.id, until()) };
    Ok(store::revocations::insert(tx.conn(), &revocation).await?)
}

/// Counts that sessions or a key of a person are to be listed by name, and tells whether that happened too often lately.
/// Alone with the list, so that nobody who revokes waits for another here.
async fn had_many_by_name(tx: &mut Tx, user: UserId) -> Result<bool, Error> {
    let (bucket, now) = (REVOKED_BY_NAME.bucket(&user.to_string()), wall_now());
    Ok(store::rate_limits::hit(tx.conn(), &REVOKED_BY_NAME, &bucket, now).await?.is_some())
}

/// What the person may do has changed: tokens that say otherwise are over.
pub async fn revoke_user(tx: &mut Tx, user: UserId) -> Result<(), Error> {
    store::revocations::lock_alone(tx.conn()).await?;
    let revocation = Revocation::of_user(user, new_uuid(), until());
    Ok(store::revocations::insert(tx.conn(), &revocation).await?)
}

/// What its people may do has changed.
pub async fn revoke_company(tx: &mut Tx, company: CompanyId) -> Result<(), Error> {
    store::revocations::lock_alone(tx.conn()).await?;
    let revocation = Revocation::of_company(company, new_uuid(), until());
    Ok(store::revocations::insert(tx.conn(), &revocation).await?)
}
