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
    pub matches: bool,
    /// The hash that was checked and its replacement, when its parameters are not today's.
    pub rehash: Option<(String, String)>,
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
        return refuse(tx, &attempt, "locked", Error::BadCredentials);
    }
    let user = match attempt.user_id.filter(|_| attempt.matches) {
        Some(id) => store::users::lock(tx.conn(), Scope::All, id).await?,
        None => None,
    };
    let Some(user) = user else {
        store::lockouts::save(tx.conn(), &account, address, &Lockout::after_failure(before, now)).await?;
        store::rate_limits::hit(tx.conn(), &FAILURES_OF_ADDRESS, &FAILURES_OF_ADDRESS.bucket(address), now)
            .await?;
        store::rate_limits::hit(
            tx.conn(),
            &FAILURES_OF_ACCOUNT,
            &FAILURES_OF_ACCOUNT.bucket(&account_name(&account)),
            now,
        )
        .await?;
        return refuse(tx, &attempt, "bad_credentials", Error::BadCredentials);
    };
    store::lockouts::clear(tx.conn(), &account, address).await?;
    if let Some((old, new)) = &attempt.rehash {
        store::passwords::rehash(tx.conn(), user.id(), old, new).await?;
    }
    match user.status() {
        UserStatus::Active => start_session(tx, &user, &attempt.origin).await.map(Ok),
        UserStatus::PendingVerification => refuse(tx, &attempt, "not_active", Error::NotVerified),
        UserStatus::Suspended => refuse(tx, &attempt, "not_active", Error::Suspended),
    }
}

/// The account as part of a bucket's name.
pub fn account_name(account: &[u8; 32]) -> String {
    account.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn refuse(
    tx: &mut Tx,
    attempt: &Attempt,
    reason: &str,
    error: Error,
) -> Result<Result<Tokens, Error>, Error> {
    let fact = LoginFailed {
        user_id: attempt.user_id,
        login: attempt.login.clone(),
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
