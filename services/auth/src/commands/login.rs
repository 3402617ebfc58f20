//! A person logs in with a password.

use quenty_contracts::auth::{LoginFailed, SessionStarted};
use quenty_kernel::{
    Actor,
    clock::wall_now,
    hex,
    id::{SessionId, UserId},
};
use quenty_platform::Tx;
use rand::RngCore;

use super::{Outcome, Tokens, end_sessions::make_room, record_access, sign_access};
use crate::{
    domain::{
        access::first_company,
        facts::SessionFact,
        lockout::{self, Lockout},
        mfa::{CHALLENGE_LIVES, Challenge, Methods},
        origin::Origin,
        rate_limit::{FAILURES_OF_ACCOUNT, FAILURES_OF_ADDRESS},
        secret::OpaqueToken,
        session::{ABSOLUTE, PASSWORD_ONLY, Session},
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
    /// The token's hash of a device that the person has logged in with before.
    pub device: Option<[u8; 32]>,
    pub origin: Origin,
}

/// What a right password leads to.
#[derive(Debug)]
pub enum LoggedIn {
    Session(Tokens),
    /// One of these is asked for, with this token, for so many seconds.
    SecondStep {
        mfa_token: OpaqueToken,
        methods: Methods,
        expires_in: i64,
    },
}

/// Starts a session or asks for the second step, or tells why not; either is on record and must be committed.
pub async fn login(tx: &mut Tx, attempt: Attempt) -> Result<Result<LoggedIn, Error>, Error> {
    let account = lockout::account(attempt.user_id, &store::users::key(&attempt.login));
    let now = wall_now();
    let device = attempt.device;
    let place = lockout::place(&attempt.origin.network(), device.as_ref());
    let before = store::lockouts::lock(tx.conn(), &account, &place).await?;
    // While locked, even the right password is not looked at; a second factor needs no such lock.
    let is_locked = before.is_some_and(|lockout| lockout.is_locked(now));
    if is_locked && !has_second_factor(tx, attempt.user_id).await? {
        return refuse(tx, &attempt, "locked", Error::BadCredentials).await;
    }
    let Some((user, password)) = proved_user(tx, &attempt).await? else {
        if !is_locked {
            let failed = Lockout::after_failure(before, now);
            store::lockouts::save(tx.conn(), &account, &place, &failed).await?;
        }
        return refuse(tx, &attempt, "bad_credentials", Error::BadCredentials).await;
    };
    store::lockouts::clear(tx.conn(), &account, &place).await?;
    if let Some(hash) = &attempt.rehash {
        store::passwords::rehash(tx.conn(), password, hash).await?;
    }
    let methods = store::mfa::methods(tx.conn(), user.id()).await?;
    match user.status() {
        UserStatus::Active if methods.is_enabled() => {
            let challenge = Challenge::new(user.id(), password, device, now);
            ask_second_step(tx, &challenge, methods, &attempt.origin).await.map(Ok)
        }
        UserStatus::Active => {
            let tokens = start_session(tx, &user, &PASSWORD_ONLY, device, &attempt.origin).await?;
            Ok(Ok(LoggedIn::Session(tokens)))
        }
        UserStatus::PendingVerification | UserStatus::Suspended => {
            refuse(tx, &attempt, "not_active", Error::Suspended).await
        }
    }
}

async fn has_second_factor(tx: &mut Tx, user: Option<UserId>) -> Result<bool, Error> {
    match user {
        Some(user) => Ok(store::mfa::methods(tx.conn(), user).await?.is_enabled()),
        None => Ok(false),
    }
}

/// A token for a device that is new; one that is known keeps its own.
async fn remember_device(
    tx: &mut Tx,
    user: &User,
    known: Option<[u8; 32]>,
) -> Result<Option<OpaqueToken>, Error> {
    let new = known.is_none().then(random_token);
    let hash = known.or_else(|| new.as_ref().map(OpaqueToken::hash));
    if let Some(hash) = hash {
        store::devices::put(tx.conn(), user.id(), &hash, wall_now()).await?;
    }
    Ok(new)
}

/// The user, locked, whose password was given; unless it was replaced since it was checked, and with it every session.
async fn proved_user(tx: &mut Tx, attempt: &Attempt) -> Result<Option<(User, i64)>, Error> {
    let Some((id, proved)) = attempt.user_id.zip(attempt.proved) else { return Ok(None) };
    let Some(user) = store::users::lock(tx.conn(), id).await? else { return Ok(None) };
    let current = store::passwords::current(tx.conn(), id).await?;
    Ok((current == Some(proved)).then_some((user, proved)))
}

/// The account as part of a bucket's name.
pub fn account_name(account: &[u8; 32]) -> String {
    hex(account)
}

/// Counts a password that was checked for nothing against the address and the account.
pub(super) async fn count_failure(tx: &mut Tx, account: &[u8; 32], origin: &Origin) -> Result<(), Error> {
    let buckets = [
        (FAILURES_OF_ADDRESS, FAILURES_OF_ADDRESS.bucket(&origin.network())),
        (FAILURES_OF_ACCOUNT, FAILURES_OF_ACCOUNT.bucket(&account_name(account))),
    ];
    for (limit, bucket) in &buckets {
        store::rate_limits::hit(tx.conn(), limit, bucket, wall_now()).await?;
    }
    Ok(())
}

/// Every refusal counts against the address and the account: each has cost the work of checking a password.
async fn refuse(
    tx: &mut Tx,
    attempt: &Attempt,
    reason: &str,
    error: Error,
) -> Result<Result<LoggedIn, Error>, Error> {
    let account = lockout::account(attempt.user_id, &store::users::key(&attempt.login));
    count_failure(tx, &account, &attempt.origin).await?;
    // What names nobody may be a password in the wrong field.
    let login = attempt.user_id.map(|_| attempt.login.clone());
    record_failure(tx, attempt.user_id, login, reason, &attempt.origin)?;
    Ok(Err(error))
}

/// A login, or a step of one, came to nothing.
pub(super) fn record_failure(
    tx: &mut Tx,
    user: Option<UserId>,
    login: Option<String>,
    reason: &str,
    origin: &Origin,
) -> Result<(), Error> {
    let fact = LoginFailed {
        user_id: user,
        login,
        address: origin.address.clone(),
        user_agent: origin.user_agent.clone(),
        reason: reason.to_owned(),
    };
    // The stream of the session that this attempt did not become.
    let stream = SessionId::new();
    let subject = user.map_or(stream.uuid(), UserId::uuid);
    tx.record_about(stream, subject, None, &SessionFact::from(fact))?;
    metrics::counter!("quenty_logins_total", "outcome" => reason.to_owned()).increment(1);
    Ok(())
}

fn random_token() -> OpaqueToken {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    OpaqueToken::from_bytes(bytes)
}

async fn ask_second_step(
    tx: &mut Tx,
    challenge: &Challenge,
    methods: Methods,
    origin: &Origin,
) -> Result<LoggedIn, Error> {
    let mfa_token = random_token();
    store::mfa::insert_challenge(tx.conn(), challenge, &mfa_token.hash()).await?;
    record_access(tx, "login", Outcome::Succeeded, Some(challenge.user_id), None, origin)?;
    Ok(LoggedIn::SecondStep { mfa_token, methods, expires_in: CHALLENGE_LIVES.as_secs() })
}

/// A session of a person who proved to be it by these methods (RFC 8176), perhaps with a known device. Under the lock of
/// the user.
pub(super) async fn start_session(
    tx: &mut Tx,
    user: &User,
    amr: &[&str],
    device: Option<[u8; 32]>,
    origin: &Origin,
) -> Result<Tokens, Error> {
    let now = wall_now();
    make_room(tx, user.id()).await?;
    store::revocations::lock_shared(tx.conn()).await?;
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
        amr: amr.iter().map(|method| (*method).to_owned()).collect(),
        authenticated_at: now,
    };
    let (refresh, expires_at) = (random_token(), session.token_expiry(now));
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
    let device_token = remember_device(tx, user, device).await?;
    let tokens = sign_access(tx, &session, user, &memberships, Some((refresh, expires_at))).await?;
    Ok(Tokens { device_token, ..tokens })
}
