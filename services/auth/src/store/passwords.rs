//! Password hashes, the newest first.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::id::UserId;
use quenty_platform::Result;
use sqlx::{PgConnection, PgExecutor};

/// A hash as it is stored. The id tells a new password from the same one hashed anew.
#[derive(Clone)]
pub struct Stored {
    pub id: i64,
    pub hash: String,
}

/// The newest passwords of a user: the current one and the ones before it.
pub async fn latest(db: impl PgExecutor<'_>, user: UserId, count: usize) -> Result<Vec<Stored>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    Ok(sqlx::query_as!(
        Stored,
        "select id, hash from passwords where user_id = $1 order by id desc limit $2",
        user.uuid(),
        count
    )
    .fetch_all(db)
    .await?)
}

/// The id of the password that counts.
pub async fn current(db: impl PgExecutor<'_>, user: UserId) -> Result<Option<i64>> {
    Ok(latest(db, user, 1).await?.first().map(|stored| stored.id))
}

/// What a login is checked against, in one query whether or not the account exists.
pub async fn by_login(db: impl PgExecutor<'_>, login: &str) -> Result<(Option<UserId>, Option<Stored>)> {
    let row = sqlx::query!(
        "select u.id as user_id, p.id as \"id?\", p.hash as \"hash?\"
         from users u left join lateral (select id, hash from passwords where user_id = u.id order by id desc limit 1) p on true
         where u.username_key = $1 or u.email_key = $1",
        super::users::key(login)
    )
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok((None, None)) };
    let stored = row.id.zip(row.hash).map(|(id, hash)| Stored { id, hash });
    Ok((Some(UserId::from_uuid(row.user_id)), stored))
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
pub async fn rehash(connection: &mut PgConnection, id: i64, hash: &str) -> Result<()> {
    sqlx::query!("update passwords set hash = $2 where id = $1", id, hash).execute(connection).await?;
    Ok(())
}
