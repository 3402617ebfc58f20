//! Links to choose another password; of a link's token only the hash is here.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::id::UserId;
use quenty_platform::Result;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::domain::password_reset::PasswordReset;

pub async fn insert(
    connection: &mut PgConnection,
    reset: &PasswordReset,
    token_hash: &[u8; 32],
) -> Result<()> {
    sqlx::query!(
        "insert into password_resets (id, user_id, token_hash, created_at, expires_at) values ($1, $2, $3, $4, $5)",
        reset.id,
        reset.user_id.map(UserId::uuid),
        &token_hash[..],
        reset.created_at.to_sqlx() as _,
        reset.expires_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// To whom the link of this id is mailed, if it can still be used.
pub async fn addressee(db: impl PgExecutor<'_>, id: Uuid, now: Timestamp) -> Result<Option<UserId>> {
    let user = sqlx::query_scalar!(
        "select user_id as \"user_id!\" from password_resets where id = $1 and user_id is not null and used_at is null and expires_at > $2",
        id,
        now.to_sqlx() as _
    );
    Ok(user.fetch_optional(db).await?.map(UserId::from_uuid))
}

/// Whose link it is, if it can still be used.
pub async fn owner(db: impl PgExecutor<'_>, token_hash: &[u8; 32], now: Timestamp) -> Result<Option<UserId>> {
    let owner = sqlx::query_scalar!(
        "select user_id as \"user_id!\" from password_resets where token_hash = $1 and user_id is not null and used_at is null and expires_at > $2",
        &token_hash[..],
        now.to_sqlx() as _
    );
    Ok(owner.fetch_optional(db).await?.map(UserId::from_uuid))
}

/// As [`owner`], so that only one transaction uses the link.
pub async fn lock(
    connection: &mut PgConnection,
    token_hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<UserId>> {
    let owner = sqlx::query_scalar!(
        "select user_id as \"user_id!\" from password_resets where token_hash = $1 and user_id is not null and used_at is null and expires_at > $2 for update",
        &token_hash[..],
        now.to_sqlx() as _
    );
    Ok(owner.fetch_optional(connection).await?.map(UserId::from_uuid))
}

/// No link of this user works any more.
pub async fn use_all(connection: &mut PgConnection, user: UserId, now: Timestamp) -> Result<()> {
    sqlx::query!(
        "update password_resets set used_at = $2 where user_id = $1 and used_at is null",
        user.uuid(),
        now.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn prune(connection: &mut PgConnection, now: Timestamp) -> Result<()> {
    sqlx::query!("delete from password_resets where expires_at < $1", now.to_sqlx() as _)
        .execute(connection)
        .await?;
    Ok(())
}
