//! Rows of `pending_erasures`: persons who are erased once what was sent to them by hand has ended.

use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use quenty_contracts::customer::ErasureRequested;
use quenty_kernel::Timestamp;
use sqlx::{PgConnection, PgExecutor, types::Json};

use crate::Error;

/// Remembers what is asked, unless a later round of it is known.
pub async fn put_pending(
    connection: &mut PgConnection,
    asked: &ErasureRequested,
    at: Timestamp,
) -> Result<(), Error> {
    sqlx::query!(
        "insert into pending_erasures (request_id, asked, asked_at) values ($1, $2, $3)
         on conflict (request_id) do update set asked = excluded.asked
         where (pending_erasures.asked ->> 'round')::bigint <= (excluded.asked ->> 'round')::bigint",
        asked.request_id.uuid(),
        Json(asked) as _,
        at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What waits, and since when; the oldest first.
pub async fn list_pending(db: impl PgExecutor<'_>) -> Result<Vec<(ErasureRequested, Timestamp)>, Error> {
    let rows = sqlx::query!(
        r#"select asked as "asked: Json<ErasureRequested>", asked_at as "asked_at: SqlTimestamp"
           from pending_erasures order by asked_at"#
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(|row| (row.asked.0, row.asked_at.to_jiff())).collect())
}

/// It is done now, unless a later round was asked meanwhile. Returns whether it waited.
pub async fn forget_pending(connection: &mut PgConnection, asked: &ErasureRequested) -> Result<bool, Error> {
    let gone = sqlx::query!(
        "delete from pending_erasures where request_id = $1 and (asked ->> 'round')::bigint <= $2",
        asked.request_id.uuid(),
        i64::from(asked.round)
    )
    .execute(connection)
    .await?;
    Ok(gone.rows_affected() > 0)
}
