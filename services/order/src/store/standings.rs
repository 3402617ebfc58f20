//! What each company may do, as Customer last told us.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_contracts::customer::Standing;
use quenty_kernel::id::CompanyId;
use quenty_platform::Error;
use sqlx::{PgConnection, PgExecutor, types::Json};

use crate::domain::standing::KnownStanding;

pub(crate) async fn find(
    db: impl PgExecutor<'_>,
    company: CompanyId,
) -> Result<Option<KnownStanding>, Error> {
    let row = sqlx::query!(
        "select standing as \"standing: Json<Standing>\", heard_at from standings where company_id = $1",
        company.uuid()
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| KnownStanding {
        standing: row.standing.0,
        heard_at: row.heard_at.to_jiff(),
        stale: false,
    }))
}

/// Keeps the highest version, and when it was last confirmed.
pub(crate) async fn keep(
    connection: &mut PgConnection,
    standing: &Standing,
    heard_at: Timestamp,
) -> Result<(), Error> {
    sqlx::query!(
        "insert into standings as s (company_id, version, standing, heard_at) values ($1, $2, $3, $4)
         on conflict (company_id) do update set version = excluded.version, standing = excluded.standing,
             heard_at = greatest(s.heard_at, excluded.heard_at)
         where s.version <= excluded.version",
        standing.company_id.uuid(),
        standing.version,
        Json(standing) as _,
        heard_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}
