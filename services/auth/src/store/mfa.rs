//! Second factors, recovery codes, and logins that wait for their second step.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::id::UserId;
use quenty_platform::{Error, Result};
use sqlx::{PgConnection, PgExecutor};

use crate::domain::{
    mfa::{Challenge, Methods, TotpFactor, TotpSecret},
    secret::Key,
};

/// What a person can give in the second step.
pub async fn methods(db: impl PgExecutor<'_>, user: UserId) -> Result<Methods> {
    let methods = sqlx::query_as!(
        Methods,
        "select exists (select from totp_factors where user_id = $1 and confirmed_at is not null) as \"totp!\",
                exists (select from passkeys where user_id = $1) as \"passkey!\"",
        user.uuid()
    );
    Ok(methods.fetch_one(db).await?)
}

/// Under the lock of its user.
pub async fn find_totp(db: impl PgExecutor<'_>, user: UserId, sealing: &Key) -> Result<Option<TotpFactor>> {
    let row = sqlx::query!(
        "select sealed_secret, confirmed_at is not null as \"is_confirmed!\", last_step from totp_factors where user_id = $1",
        user.uuid()
    );
    let Some(row) = row.fetch_optional(db).await? else { return Ok(None) };
    let secret = TotpSecret::open(&row.sealed_secret, sealing, user)
        .ok_or_else(|| Error::internal("a secret in totp_factors was sealed with another key"))?;
    Ok(Some(TotpFactor { secret, is_confirmed: row.is_confirmed, last_step: row.last_step }))
}

/// Begins anew: whatever was not confirmed goes.
pub async fn put_totp(
    connection: &mut PgConnection,
    user: UserId,
    sealed: &[u8],
    now: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "insert into totp_factors (user_id, sealed_secret, created_at) values ($1, $2, $3)
         on conflict (user_id) do update set sealed_secret = $2, created_at = $3, last_step = 0",
        user.uuid(),
        sealed,
        now.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A code of this step was taken; the first one confirms the factor.
pub async fn take_step(connection: &mut PgConnection, user: UserId, step: i64, now: Timestamp) -> Result<()> {
    sqlx::query!(
        "update totp_factors set last_step = $2, confirmed_at = coalesce(confirmed_at, $3) where user_id = $1",
        user.uuid(),
        step,
        now.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn delete_totp(connection: &mut PgConnection, user: UserId) -> Result<()> {
    sqlx::query!("delete from totp_factors where user_id = $1", user.uuid()).execute(connection).await?;
    Ok(())
}

/// Only these recovery codes work from now on.
pub async fn replace_codes(connection: &mut PgConnection, user: UserId, macs: &[[u8; 32]]) -> Result<()> {
    sqlx::query!("delete from recovery_codes where user_id = $1", user.uuid())
        .execute(&mut *connection)
        .await?;
    let macs: Vec<Vec<u8>> = macs.iter().map(|mac| mac.to_vec()).collect();
    sqlx::query!(
        "insert into recovery_codes (user_id, mac) select $1, unnest($2::bytea[])",
        user.uuid(),
        &macs
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Uses up a recovery code, if it is one that is left.
pub async fn use_code(connection: &mut PgConnection, user: UserId, mac: &[u8; 32]) -> Result<bool> {
    let used =
        sqlx::query!("delete from recovery_codes where user_id = $1 and mac = $2", user.uuid(), &mac[..]);
    Ok(used.execute(connection).await?.rows_affected() == 1)
}

/// How many recovery codes were not used.
pub async fn codes_left(db: impl PgExecutor<'_>, user: UserId) -> Result<i64> {
    let left = sqlx::query_scalar!(
        "select count(*) as \"left!\" from recovery_codes where user_id = $1",
        user.uuid()
    );
    Ok(left.fetch_one(db).await?)
}

pub async fn insert_challenge(
    connection: &mut PgConnection,
    challenge: &Challenge,
    token_hash: &[u8; 32],
) -> Result<()> {
    sqlx::query!(
        "insert into mfa_challenges (token_hash, user_id, password_id, device_hash, expires_at) values ($1, $2, $3, $4, $5)",
        &token_hash[..],
        challenge.user_id.uuid(),
        challenge.password_id,
        challenge.device.map(|hash| hash.to_vec()),
        challenge.expires_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Guesses at one login wait for each other here, so that each is counted.
pub async fn lock_challenge(
    connection: &mut PgConnection,
    token_hash: &[u8; 32],
) -> Result<Option<Challenge>> {
    let row = sqlx::query!(
        "select user_id, password_id, device_hash, failures, expires_at from mfa_challenges where token_hash = $1 for update",
        &token_hash[..]
    );
    Ok(row.fetch_optional(connection).await?.map(|row| Challenge {
        user_id: UserId::from_uuid(row.user_id),
        password_id: row.password_id,
        device: row.device_hash.and_then(|hash| hash.try_into().ok()),
        failures: row.failures,
        expires_at: row.expires_at.to_jiff(),
    }))
}

pub async fn fail_challenge(connection: &mut PgConnection, token_hash: &[u8; 32]) -> Result<()> {
    sqlx::query!("update mfa_challenges set failures = failures + 1 where token_hash = $1", &token_hash[..])
        .execute(connection)
        .await?;
    Ok(())
}

pub async fn delete_challenge(connection: &mut PgConnection, token_hash: &[u8; 32]) -> Result<()> {
    sqlx::query!("delete from mfa_challenges where token_hash = $1", &token_hash[..])
        .execute(connection)
        .await?;
    Ok(())
}

pub async fn prune(connection: &mut PgConnection, now: Timestamp) -> Result<()> {
    sqlx::query!("delete from mfa_challenges where expires_at < $1", now.to_sqlx() as _)
        .execute(connection)
        .await?;
    Ok(())
}
