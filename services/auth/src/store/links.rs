//! Single-use links of invitations; of a link's token only the hash is here.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::id::UserId;
use quenty_platform::Result;
use sqlx::{PgConnection, PgExecutor};

use crate::domain::link::{Link, REPEATED};

pub async fn insert(connection: &mut PgConnection, link: &Link, token_hash: &[u8; 32]) -> Result<()> {
    sqlx::query!(
        "insert into links (id, user_id, token_hash, created_at, expires_at) values ($1, $2, $3, $4, $5)",
        link.id,
        link.user_id.uuid(),
        &token_hash[..],
        link.created_at.to_sqlx() as _,
        link.expires_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Whose link it is, if it can still be used or was a moment ago.
pub async fn owner(db: impl PgExecutor<'_>, token_hash: &[u8; 32], now: Timestamp) -> Result<Option<UserId>> {
    let owner = sqlx::query_scalar!(
        "select user_id from links where token_hash = $1 and expires_at > $2 and (used_at is null or used_at > $3)",
        &token_hash[..],
        now.to_sqlx() as _,
        (now - REPEATED).to_sqlx() as _
    );
    Ok(owner.fetch_optional(db).await?.map(UserId::from_uuid))
}

/// Whose link it is, if it can still be used; only one transaction does.
pub async fn lock(
    connection: &mut PgConnection,
    token_hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<UserId>> {
    let owner = sqlx::query_scalar!(
        "select user_id from links where token_hash = $1 and used_at is null and expires_at > $2 for update",
        &token_hash[..],
        now.to_sqlx() as _
    );
    Ok(owner.fetch_optional(connection).await?.map(UserId::from_uuid))
}

/// No link of this user works any more.
pub async fn use_all(connection: &mut PgConnection, user: UserId, now: Timestamp) -> Result<()> {
    sqlx::query!(
        "update links set used_at = $2 where user_id = $1 and used_at is null",
        user.uuid(),
        now.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn prune(connection: &mut PgConnection, now: Timestamp) -> Result<()> {
    sqlx::query!("delete from links where expires_at < $1", now.to_sqlx() as _).execute(connection).await?;
    Ok(())
}
