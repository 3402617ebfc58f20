//! What a token is worth now, for services that were shown it (RFC 7662), and ending what it belongs to (RFC 7009).

use std::sync::Arc;

use jiff::Timestamp;
use quenty_kernel::{
    clock::wall_now,
    id::{ApiKeyId, SessionId, UserId},
};
use quenty_platform::{
    Tx,
    token::{Claims, Realm},
};

use super::{Outcome, Which, end_sessions, prove_client::prove_client, record_access};
use crate::{
    domain::{
        origin::Origin,
        secret::OpaqueToken,
        session::{Session, Verdict},
        user::UserStatus,
    },
    error::Error,
    parts::Clients,
    store,
};

/// A token that a service was shown.
#[derive(Debug)]
pub enum Presented {
    /// An access token with a good signature, in its time.
    Access(Arc<Claims>),
    /// Perhaps a refresh token.
    Opaque(OpaqueToken),
}

/// A token that is good for something.
#[derive(Debug)]
pub enum Active {
    Access(Arc<Claims>),
    Refresh { session: Box<Session>, expires_at: Timestamp },
}

/// The inner error must be committed, too.
pub async fn introspect_token(
    tx: &mut Tx,
    client: &str,
    secret: &str,
    shown: Option<Presented>,
    origin: &Origin,
) -> Result<Result<Option<Active>, Error>, Error> {
    if let Err(refused) = prove_client(tx, client, secret, "introspect_token", origin).await? {
        return Ok(Err(refused));
    }
    let active = match shown {
        Some(Presented::Access(claims)) if stands(tx, &claims).await? => Some(Active::Access(claims)),
        Some(Presented::Opaque(token)) => refresh_token(tx, &token).await?,
        _ => None,
    };
    Ok(Ok(active))
}

/// Ends the session of the token, if it has one; the inner error must be committed, too.
pub async fn revoke_token(
    tx: &mut Tx,
    client: &str,
    secret: &str,
    shown: Option<Presented>,
    origin: &Origin,
) -> Result<Result<(), Error>, Error> {
    if let Err(refused) = prove_client(tx, client, secret, "revoke_token", origin).await? {
        return Ok(Err(refused));
    }
    let (user, session) = match shown {
        None => return Ok(Ok(())),
        Some(Presented::Access(claims)) => match (claims.sub.parse::<UserId>(), claims.sid) {
            (Ok(user), Some(session)) => (user, session),
            _ => return Ok(Err(Error::UnsupportedTokenType)),
        },
        Some(Presented::Opaque(token)) => {
            match store::sessions::find_by_token(tx.conn(), &token.hash()).await? {
                Some(session) => (session.user_id, session.id),
                None => return Ok(Ok(())),
            }
        }
    };
    end_sessions(tx, user, Which::Only(session), "revoked").await?;
    record_access(tx, "revoke_token", Outcome::Succeeded, Some(user), Some(client), origin)?;
    Ok(Ok(()))
}

/// Whether what the token was given for still stands.
async fn stands(tx: &mut Tx, claims: &Claims) -> Result<bool, Error> {
    if claims.realm == Realm::Service {
        return Ok(tx.app().part::<Clients>()?.knows(&claims.sub));
    }
    let Ok(user) = claims.sub.parse::<UserId>() else { return Ok(false) };
    let found = store::users::find(tx.conn(), user).await?;
    if found.is_none_or(|user| user.status() != UserStatus::Active) {
        return Ok(false);
    }
    match (claims.sid, claims.client_id.parse::<ApiKeyId>()) {
        (Some(session), _) => session_stands(tx, user, session).await,
        (None, Ok(key)) => {
            let key = store::api_keys::find(tx.conn(), key).await?;
            Ok(key.is_some_and(|key| key.revoked_at.is_none() && wall_now() < key.expires_at))
        }
        (None, Err(_)) => Ok(false),
    }
}

async fn session_stands(tx: &mut Tx, user: UserId, id: SessionId) -> Result<bool, Error> {
    let session = store::sessions::find(tx.conn(), id).await?;
    Ok(session.is_some_and(|session| session.user_id == user && session.is_live(wall_now())))
}

/// A refresh token that would give others now, or a moment ago gave them.
async fn refresh_token(tx: &mut Tx, token: &OpaqueToken) -> Result<Option<Active>, Error> {
    let hash = token.hash();
    let session = store::sessions::find_by_token(tx.conn(), &hash).await?;
    let stored = store::sessions::find_token(tx.conn(), &hash).await?;
    Ok(session.zip(stored).and_then(|(session, stored)| {
        matches!(stored.judge(&session, wall_now()), Verdict::Rotate | Verdict::Repeat)
            .then(|| Active::Refresh { session: Box::new(session), expires_at: stored.expires_at })
    }))
}
