//! Failed logins by account and address.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_platform::Result;
use sqlx::{PgConnection, PgExecutor};

use crate::domain::lockout::{FORGOTTEN_AFTER, Lockout};

pub async fn find(db: impl PgExecutor<'_>, account: &[u8], address: &str) -> Result<Option<Lockout>> {
    let row = sqlx::query!(
        "select failures, last_failure_at, locked_until from lockouts where account = $1 and address = $2",
        account,
        address
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Lockout {
        failures: row.failures,
        last_failure_at: row.last_failure_at.to_jiff(),
        locked_until: row.locked_until.map(|t| t.to_jiff()),
    }))
}

/// Makes attempts on one account from one address wait for each other, so that parallel guesses are counted.
pub async fn lock(connection: &mut PgConnection, account: &[u8], address: &str) -> Result<Option<Lockout>> {
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended(encode($1, 'hex') || $2, 0))",
        account,
        address
    )
    .execute(&mut *connection)
    .await?;
    find(connection, account, address).await
}

pub async fn save(
    connection: &mut PgConnection,
    account: &[u8],
    address: &str,
    lockout: &Lockout,
) -> Result<()> {
    sqlx::query!(
        "insert into lockouts (account, address, failures, last_failure_at, locked_until) values ($1, $2, $3, $4, $5)
         on conflict (account, address) do update set failures = $3, last_failure_at = $4, locked_until = $5",
        account,
        address,
        lockout.failures,
        lockout.last_failure_at.to_sqlx() as _,
        lockout.locked_until.map(|t| t.to_sqlx()) as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn clear(connection: &mut PgConnection, account: &[u8], address: &str) -> Result<()> {
    sqlx::query!("delete from lockouts where account = $1 and address = $2", account, address)
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets an account's failures from every address.
pub async fn clear_account(connection: &mut PgConnection, account: &[u8]) -> Result<()> {
    sqlx::query!("delete from lockouts where account = $1", account).execute(connection).await?;
    Ok(())
}

/// Forgets failures that count no more.
pub async fn prune(connection: &mut PgConnection, now: Timestamp) -> Result<()> {
    let before = (now - FORGOTTEN_AFTER).to_sqlx();
    sqlx::query!(
        "delete from lockouts where last_failure_at < $1 and (locked_until is null or locked_until < $2)",
        before as _,
        now.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}
