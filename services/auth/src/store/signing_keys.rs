//! Signing keys; the private part is sealed before it comes here.

use jiff_sqlx::ToSqlx;
use quenty_kernel::id::SigningKeyId;
use quenty_platform::{Error, Result};
use sqlx::PgConnection;

use crate::domain::{
    secret::Key,
    signing_key::{CannotOpen, KeyStatus, SigningKey},
};

/// Any number that no other advisory lock of this database uses.
const LOCK: i64 = 0x5157_4b45_5953;

/// Keeps other replicas from rotating until this transaction ends.
pub async fn lock(connection: &mut PgConnection) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock($1)", LOCK).execute(connection).await?;
    Ok(())
}

pub async fn list(
    connection: &mut PgConnection,
    sealing: &Key,
) -> Result<Result<Vec<SigningKey>, CannotOpen>> {
    let rows =
        sqlx::query!("select id, status, sealed_private_key, status_since from signing_keys order by id")
            .fetch_all(connection)
            .await?;
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows {
        let status = KeyStatus::parse(&row.status)
            .ok_or_else(|| Error::internal("a signing key has an unknown status"))?;
        match SigningKey::open(
            SigningKeyId::from_uuid(row.id),
            status,
            row.status_since.to_jiff(),
            &row.sealed_private_key,
            sealing,
        ) {
            Ok(key) => keys.push(key),
            Err(cannot) => return Ok(Err(cannot)),
        }
    }
    Ok(Ok(keys))
}

pub async fn insert(connection: &mut PgConnection, key: &SigningKey, sealed: &[u8]) -> Result<()> {
    sqlx::query!(
        "insert into signing_keys (id, status, public_key, sealed_private_key, created_at, status_since) values ($1, $2, $3, $4, $5, $5)",
        key.id.uuid(),
        key.status.as_str(),
        &key.public_key()[..],
        sealed,
        key.since.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn set_status(connection: &mut PgConnection, key: &SigningKey) -> Result<()> {
    sqlx::query!(
        "update signing_keys set status = $2, status_since = $3 where id = $1",
        key.id.uuid(),
        key.status.as_str(),
        key.since.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn delete(connection: &mut PgConnection, id: SigningKeyId) -> Result<()> {
    sqlx::query!("delete from signing_keys where id = $1", id.uuid()).execute(connection).await?;
    Ok(())
}
