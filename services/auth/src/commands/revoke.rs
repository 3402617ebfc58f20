//! Access tokens end before their time, in every process within a second.

use jiff::{SignedDuration, Timestamp};
use quenty_kernel::{
    clock::wall_now,
    id::{ApiKeyId, CompanyId, SessionId, UserId, new_uuid},
};
use quenty_platform::{Tx, revocations::Revocation};

use crate::{domain::session::ACCESS_TOKEN, error::Error, store};

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
    if sessions.len() > MOST_BY_NAME {
        return revoke_user(tx, user).await;
    }
    if sessions.is_empty() {
        return Ok(());
    }
    store::revocations::lock_alone(tx.conn()).await?;
    for session in sessions {
        store::revocations::insert(tx.conn(), &Revocation::of_session(*session, until())).await?;
    }
    Ok(())
}

/// The key works no more.
pub async fn revoke_tokens_of_key(tx: &mut Tx, key: ApiKeyId) -> Result<(), Error> {
    store::revocations::lock_alone(tx.conn()).await?;
    Ok(store::revocations::insert(tx.conn(), &Revocation::of_api_key(key, until())).await?)
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
