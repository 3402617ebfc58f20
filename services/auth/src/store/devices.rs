//! Devices that a person has logged in with; of a device's token only the hash is here.

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use quenty_kernel::id::UserId;
use quenty_platform::Result;
use sqlx::{PgConnection, PgExecutor};

use crate::domain::secret::OpaqueToken;

/// A device that has not been seen for so long is a stranger's again.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(180 * 24);

/// The hash of the device's token, if the person has logged in with it. Nobody's device is looked for all the same: how
/// long it takes tells nothing.
pub async fn find(
    db: impl PgExecutor<'_>,
    user: Option<UserId>,
    token: Option<&OpaqueToken>,
    now: Timestamp,
) -> Result<Option<[u8; 32]>> {
    let Some(token_hash) = token.map(OpaqueToken::hash) else { return Ok(None) };
    let known = sqlx::query_scalar!(
        "select exists (select from known_devices where token_hash = $1 and user_id = $2 and last_used_at > $3) as \"known!\"",
        &token_hash[..],
        user.map(UserId::uuid),
        (now - FORGOTTEN_AFTER).to_sqlx() as _
    );
    Ok(known.fetch_one(db).await?.then_some(token_hash))
}

/// The person has logged in with it.
pub async fn put(
    connection: &mut PgConnection,
    user: UserId,
    token_hash: &[u8; 32],
    now: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "insert into known_devices (token_hash, user_id, last_used_at) values ($1, $2, $3)
         on conflict (token_hash) do update set last_used_at = $3",
        &token_hash[..],
        user.uuid(),
        now.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn forget_all(connection: &mut PgConnection, user: UserId) -> Result<()> {
    sqlx::query!("delete from known_devices where user_id = $1", user.uuid()).execute(connection).await?;
    Ok(())
}

pub async fn prune(connection: &mut PgConnection, now: Timestamp) -> Result<()> {
    let before = (now - FORGOTTEN_AFTER).to_sqlx();
    sqlx::query!("delete from known_devices where last_used_at < $1", before as _)
        .execute(connection)
        .await?;
    Ok(())
}
