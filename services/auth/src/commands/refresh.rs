//! A client renews its tokens: each refresh token works once.

use quenty_contracts::{auth::SessionReuseDetected, customer::Membership as Told};
use quenty_kernel::{Actor, clock::wall_now, id::CompanyId};
use quenty_platform::Tx;

use super::{Outcome, Tokens, Which, end_sessions, record_bounded, sign_access};
use crate::{
    domain::{
        access::{Membership, first_company},
        facts::SessionFact,
        origin::Origin,
        secret::OpaqueToken,
        session::{Session, Verdict},
        user::{User, UserStatus},
    },
    error::Error,
    parts::TokenKeys,
    store,
};

/// New tokens, or why not; either is on record and must be committed. `told` is what Customer answered when it was asked.
pub async fn refresh(
    tx: &mut Tx,
    token: &OpaqueToken,
    told: &[Told],
    origin: &Origin,
) -> Result<Result<Tokens, Error>, Error> {
    let renewed = use_token(tx, token, told, origin).await?;
    let outcome = if renewed.is_ok() { Outcome::Succeeded } else { Outcome::Refused };
    let user = match tx.actor() {
        Actor::User(id) => Some(*id),
        Actor::Service(_) | Actor::System => None,
    };
    record_bounded(tx, "refresh", outcome, user, origin).await?;
    Ok(renewed)
}

async fn use_token(
    tx: &mut Tx,
    token: &OpaqueToken,
    told: &[Told],
    origin: &Origin,
) -> Result<Result<Tokens, Error>, Error> {
    let hash = token.hash();
    let found = store::sessions::find_by_token(tx.conn(), &hash).await?;
    let Some(id) = found.map(|session| session.id) else { return Ok(Err(Error::BadRefreshToken)) };
    // Tabs that race wait here; the first one rotates.
    let session = store::sessions::lock(tx.conn(), id).await?;
    let stored = store::sessions::find_token(tx.conn(), &hash).await?;
    let (Some(session), Some(stored)) = (session, stored) else { return Ok(Err(Error::BadRefreshToken)) };
    tx.act_as(Actor::User(session.user_id));
    store::revocations::lock_shared(tx.conn()).await?;
    let user = store::users::find(tx.conn(), session.user_id).await?;
    let Some(user) = user.filter(|user| user.status() == UserStatus::Active) else {
        return Ok(Err(Error::BadRefreshToken));
    };
    let now = wall_now();
    let successor = tx.app().part::<TokenKeys>()?.refresh.token_for(token.as_str().as_bytes());
    match stored.judge(&session, now) {
        Verdict::Over => Ok(Err(Error::BadRefreshToken)),
        Verdict::Reused => {
            end_family(tx, &session, origin).await?;
            Ok(Err(Error::RefreshTokenReused))
        }
        Verdict::Repeat => match store::sessions::find_token(tx.conn(), &successor.hash()).await? {
            Some(known) => renew(tx, session, &user, told, (successor, known.expires_at)).await.map(Ok),
            None => Ok(Err(Error::BadRefreshToken)),
        },
        Verdict::Rotate => {
            let expires_at = session.token_expiry(now);
            store::sessions::use_token(tx.conn(), &hash, now).await?;
            store::sessions::insert_token(tx.conn(), session.id, &successor.hash(), expires_at, now).await?;
            renew(tx, session, &user, told, (successor, expires_at)).await.map(Ok)
        }
    }
}

async fn end_family(tx: &mut Tx, session: &Session, origin: &Origin) -> Result<(), Error> {
    let fact = SessionReuseDetected {
        session_id: session.id,
        user_id: session.user_id,
        address: origin.address.clone(),
    };
    tx.record_about(session.id, session.user_id, None, &SessionFact::from(fact))?;
    end_sessions(tx, session.user_id, Which::Only(session.id), "reuse_detected").await?;
    metrics::counter!("quenty_refresh_token_reuses_total").increment(1);
    Ok(())
}

/// What the session may do now may differ from what it could do before.
async fn renew(
    tx: &mut Tx,
    mut session: Session,
    user: &User,
    told: &[Told],
    refresh: (OpaqueToken, jiff::Timestamp),
) -> Result<Tokens, Error> {
    store::memberships::fill(tx.conn(), told).await?;
    let memberships = store::memberships::of_user(tx.conn(), user.id()).await?;
    session.company_id = company_now(&session, user, &memberships, !told.is_empty());
    session.last_used_at = wall_now();
    store::sessions::save(tx.conn(), &session).await?;
    sign_access(tx, &session, user, &memberships, Some(refresh)).await
}

/// Whom a session speaks for is its person's choice; only a first company, of which we hear just now, needs none.
fn company_now(
    session: &Session,
    user: &User,
    memberships: &[Membership],
    just_told: bool,
) -> Option<CompanyId> {
    let is_member = |id| memberships.iter().any(|membership| membership.company_id == id);
    match session.company_id {
        None if just_told => first_company(user.roles(), memberships, None),
        company => company.filter(|id| is_member(*id)),
    }
}
