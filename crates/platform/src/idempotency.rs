//! `Idempotency-Key` (IETF draft): the answer is written in the effect's own transaction, so that a
//! request repeated after any fault gives the first answer again and never a second effect.

use axum::http::{HeaderName, StatusCode, header};
use jiff_sqlx::ToSqlx;
use quenty_kernel::{Failure, Kind, clock::wall_now};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use crate::{Error, Result, http::Answer};

/// On an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// A key is remembered this long.
pub(crate) const KEPT_HOURS: i64 = 24;

/// One use of a key: scoped to company, caller and operation.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub scope: String,
    pub key: String,
    pub body_hash: [u8; 32],
}

impl Key {
    fn lock(&self) -> i64 {
        let digest: [u8; 32] = Sha256::new()
            .chain_update(&self.scope)
            .chain_update([0])
            .chain_update(&self.key)
            .finalize()
            .into();
        i64::from_be_bytes([
            digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7],
        ])
    }
}

/// Takes the key for this transaction, without waiting for another one that holds it.
pub(crate) async fn claim(connection: &mut PgConnection, key: &Key) -> Result<()> {
    let free = sqlx::query_scalar!("select pg_try_advisory_xact_lock($1) as \"free!\"", key.lock())
        .fetch_one(&mut *connection)
        .await?;
    if !free {
        return Err(Failure::conflict(
            "IDEMPOTENCY_IN_PROGRESS",
            "a request with this Idempotency-Key is still running; repeat it",
        )
        .retry_after(1)
        .into());
    }
    let stored = sqlx::query!(
        "select body_hash, status, headers, body from quenty.idempotency where scope = $1 and key = $2",
        key.scope,
        key.key
    )
    .fetch_optional(connection)
    .await?;
    let Some(stored) = stored else { return Ok(()) };
    if stored.body_hash != key.body_hash {
        return Err(Failure::new(
            Kind::Invalid,
            "IDEMPOTENCY_KEY_REUSED",
            "this Idempotency-Key was used with another body; use a new key for a new request",
        )
        .into());
    }
    Err(Error::Replay(Box::new(replay(stored.status, stored.headers, stored.body)?)))
}

fn replay(status: i16, headers: serde_json::Value, body: Option<serde_json::Value>) -> Result<Answer> {
    let status = u16::try_from(status)
        .ok()
        .and_then(|s| StatusCode::from_u16(s).ok())
        .ok_or_else(|| Error::internal("a stored answer has no valid status"))?;
    let answer = Answer { status, headers: serde_json::from_value(headers)?, body, secret_of: None };
    let answer = if status.is_success() {
        answer
    } else {
        answer.header(header::CONTENT_TYPE, "application/problem+json")
    };
    Ok(answer.header(REPLAYED, "true"))
}

/// Stores the answer. One that carries a secret is stored as a conflict that names what was made.
pub(crate) async fn store(connection: &mut PgConnection, key: &Key, answer: &Answer) -> Result<()> {
    let (status, body) = match &answer.secret_of {
        None => (answer.status, answer.body.clone()),
        Some(id) => {
            let failure = Failure::conflict(
                "ANSWERED_WITH_A_SECRET",
                "this request was answered before, with a secret that is shown only once",
            )
            .with("id", id);
            (StatusCode::CONFLICT, Some(serde_json::to_value(crate::http::problem::Problem::from(&failure))?))
        }
    };
    sqlx::query!(
        "insert into quenty.idempotency (scope, key, body_hash, status, headers, body, created_at) values ($1, $2, $3, $4, $5, $6, $7)",
        key.scope,
        key.key,
        &key.body_hash[..],
        i16::try_from(status.as_u16()).map_err(Error::internal)?,
        serde_json::to_value(&answer.headers)?,
        body,
        wall_now().to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}
