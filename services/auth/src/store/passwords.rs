//! Password hashes, the newest first.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::id::UserId;
use quenty_platform::Result;
use sqlx::{PgConnection, PgExecutor};

/// The newest hashes of a user: the current one and the ones before it.
pub async fn latest(db: impl PgExecutor<'_>, user: UserId, count: usize) -> Result<Vec<String>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    Ok(sqlx::query_scalar!(
        "select hash from passwords where user_id = $1 order by id desc limit $2",
        user.uuid(),
        count
    )
    .fetch_all(db)
    .await?)
}

/// What a login is checked against, in one query whether or not the account exists.
pub async fn by_login(db: impl PgExecutor<'_>, login: &str) -> Result<(Option<UserId>, Option<String>)> {
    let row = sqlx::query!(
        "select u.id, (select hash from passwords p where p.user_id = u.id order by p.id desc limit 1) as hash
         from users u where u.username_key = $1 or u.email_key = $1",
        super::users::key(login)
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map_or((None, None), |row| (Some(UserId::from_uuid(row.id)), row.hash)))
}

/// Sets a new password; of the earlier ones, `kept` stay.
pub async fn insert(
    connection: &mut PgConnection,
    user: UserId,
    hash: &str,
    kept: usize,
    now: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "insert into passwords (user_id, hash, created_at) values ($1, $2, $3)",
        user.uuid(),
        hash,
        now.to_sqlx() as _
    )
    .execute(&mut *connection)
    .await?;
    let kept = i64::try_from(kept).unwrap_or(i64::MAX);
    sqlx::query!(
        "delete from passwords where user_id = $1 and id not in (select id from passwords where user_id = $1 order by id desc limit $2)",
        user.uuid(),
        kept
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Replaces the hash of the same password by one with today's parameters.
pub async fn rehash(connection: &mut PgConnection, user: UserId, before: &str, after: &str) -> Result<()> {
    sqlx::query!(
        "update passwords set hash = $3 where user_id = $1 and hash = $2",
        user.uuid(),
        before,
        after
    )
    .execute(connection)
    .await?;
    Ok(())
}
