//! A person logs in with a password.

use quenty_contracts::auth::{LoginFailed, SessionStarted};
use quenty_kernel::{
    Actor, Scope,
    clock::wall_now,
    id::{SessionId, UserId},
};
use quenty_platform::Tx;
use rand::RngCore;

use super::{Tokens, sign_access};
use crate::{
    domain::{
        access::{access, first_company},
        facts::SessionFact,
        lockout::{self, Lockout},
        origin::Origin,
        rate_limit::{FAILURES_OF_ACCOUNT, FAILURES_OF_ADDRESS},
        secret::OpaqueToken,
        session::{ABSOLUTE, Session},
        user::{User, UserStatus},
    },
    error::Error,
    store,
};

/// An attempt whose password has been checked.
#[derive(Debug)]
pub struct Attempt {
    pub login: String,
    pub user_id: Option<UserId>,
    /// The id of the password that was given; none when it was a wrong one.
    pub proved: Option<i64>,
    /// Its new hash, when the parameters of the old one are not today's.
    pub rehash: Option<String>,
    pub origin: Origin,
}

/// Starts a session, or tells why not; either is on record and must be committed.
pub async fn login(tx: &mut Tx, attempt: Attempt) -> Result<Result<Tokens, Error>, Error> {
    let account = lockout::account(attempt.user_id, &store::users::key(&attempt.login));
    let address = &attempt.origin.address;
    let now = wall_now();
    let before = store::lockouts::lock(tx.conn(), &account, address).await?;
    // While locked, even the right password is not looked at.
    if before.is_some_and(|lockout| lockout.is_locked(now)) {
        return refuse(tx, &attempt, "locked", Error::BadCredentials).await;
    }
    let Some((user, password)) = proved_user(tx, &attempt).await? else {
        store::lockouts::save(tx.conn(), &account, address, &Lockout::after_failure(before, now)).await?;
        return refuse(tx, &attempt, "bad_credentials", Error::BadCredentials).await;
    };
    store::lockouts::clear(tx.conn(), &account, address).await?;
    if let Some(hash) = &attempt.rehash {
        store::passwords::rehash(tx.conn(), password, hash).await?;
    }
    match user.status() {
        UserStatus::Active => start_session(tx, &user, &attempt.origin).await.map(Ok),
        UserStatus::PendingVerification | UserStatus::Suspended => {
            refuse(tx, &attempt, "not_active", Error::Suspended).await
        }
    }
}

/// The user, locked, whose password was given; unless it was replaced since it was checked, and with it every session.
async fn proved_user(tx: &mut Tx, attempt: &Attempt) -> Result<Option<(User, i64)>, Error> {
    let Some((id, proved)) = attempt.user_id.zip(attempt.proved) else { return Ok(None) };
    let Some(user) = store::users::lock(tx.conn(), Scope::All, id).await? else { return Ok(None) };
    let current = store::passwords::current(tx.conn(), id).await?;
    Ok((current == Some(proved)).then_some((user, proved)))
}

/// The account as part of a bucket's name.
pub fn account_name(account: &[u8; 32]) -> String {
    account.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Every refusal counts against the address and the account: each has cost the work of checking a password.
async fn refuse(
    tx: &mut Tx,
    attempt: &Attempt,
    reason: &str,
    error: Error,
) -> Result<Result<Tokens, Error>, Error> {
    let account = lockout::account(attempt.user_id, &store::users::key(&attempt.login));
    let buckets = [
        (FAILURES_OF_ADDRESS, FAILURES_OF_ADDRESS.bucket(&attempt.origin.address)),
        (FAILURES_OF_ACCOUNT, FAILURES_OF_ACCOUNT.bucket(&account_name(&account))),
    ];
    for (limit, bucket) in &buckets {
        store::rate_limits::hit(tx.conn(), limit, bucket, wall_now()).await?;
    }
    let fact = LoginFailed {
        user_id: attempt.user_id,
        // What names nobody may be a password in the wrong field.
        login: attempt.user_id.map(|_| attempt.login.clone()),
        address: attempt.origin.address.clone(),
        user_agent: attempt.origin.user_agent.clone(),
        reason: reason.to_owned(),
    };
    // The stream of the session that this attempt did not become.
    let stream = SessionId::new();
    let subject = attempt.user_id.map_or(stream.uuid(), UserId::uuid);
    tx.record_about(stream, subject, None, &SessionFact::from(fact))?;
    metrics::counter!("quenty_logins_total", "outcome" => reason.to_owned()).increment(1);
    Ok(Err(error))
}

async fn start_session(tx: &mut Tx, user: &User, origin: &Origin) -> Result<Tokens, Error> {
    let now = wall_now();
    let memberships = store::memberships::of_user(tx.conn(), user.id()).await?;
    let last = store::sessions::last_company(tx.conn(), user.id()).await?;
    let session = Session {
        id: SessionId::new(),
        user_id: user.id(),
        company_id: first_company(user.roles(), &memberships, last),
        address: origin.address.clone(),
        user_agent: origin.user_agent.clone(),
        created_at: now,
        last_used_at: now,
        expires_at: now + ABSOLUTE,
        ended_at: None,
    };
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    let (refresh, expires_at) = (OpaqueToken::from_bytes(bytes), session.token_expiry(now));
    store::sessions::insert(tx.conn(), &session).await?;
    store::sessions::insert_token(tx.conn(), session.id, &refresh.hash(), expires_at, now).await?;
    tx.act_as(Actor::User(user.id()));
    let fact = SessionStarted {
        session_id: session.id,
        user_id: user.id(),
        company_id: session.company_id,
        address: origin.address.clone(),
        user_agent: origin.user_agent.clone(),
    };
    tx.record_about(session.id, user.id(), session.company_id, &SessionFact::from(fact))?;
    metrics::counter!("quenty_logins_total", "outcome" => "started").increment(1);
    let access = access(user.roles(), &memberships, session.company_id);
    sign_access(tx.app(), &session, access, Some((refresh, expires_at)))
}
