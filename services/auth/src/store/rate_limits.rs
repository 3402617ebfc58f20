//! Counters of fixed windows, shared by all replicas.

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use quenty_platform::Result;
use sqlx::{PgConnection, PgExecutor};

use crate::domain::rate_limit::{Hits, RateLimit};

pub async fn find(db: impl PgExecutor<'_>, bucket: &str) -> Result<Option<Hits>> {
    let row = sqlx::query!("select started_at, hits from rate_limits where bucket = $1", bucket)
        .fetch_optional(db)
        .await?;
    Ok(row.map(|row| Hits { started_at: row.started_at.to_jiff(), count: row.hits }))
}

/// Counts one more; tells the seconds to wait if that is too many.
pub async fn hit(
    connection: &mut PgConnection,
    limit: &RateLimit,
    bucket: &str,
    now: Timestamp,
) -> Result<Option<u32>> {
    let row = sqlx::query!(
        "insert into rate_limits as r (bucket, started_at, hits) values ($1, $2, 1)
         on conflict (bucket) do update set
           hits = case when r.started_at <= $3 then 1 else r.hits + 1 end,
           started_at = case when r.started_at <= $3 then $2 else r.started_at end
         returning started_at, hits",
        bucket,
        now.to_sqlx() as _,
        (now - limit.window).to_sqlx() as _
    )
    .fetch_one(connection)
    .await?;
    let before = Hits { started_at: row.started_at.to_jiff(), count: row.hits - 1 };
    Ok(limit.wait(Some(before), now))
}

/// Whatever was counted there counts no more.
pub async fn clear(connection: &mut PgConnection, bucket: &str) -> Result<()> {
    sqlx::query!("delete from rate_limits where bucket = $1", bucket).execute(connection).await?;
    Ok(())
}

/// Forgets windows that ended long ago.
pub async fn prune(connection: &mut PgConnection, now: Timestamp) -> Result<()> {
    let before = (now - SignedDuration::from_hours(24)).to_sqlx();
    sqlx::query!("delete from rate_limits where started_at < $1", before as _).execute(connection).await?;
    Ok(())
}
