//! What each company may do, as Customer last told us.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_contracts::customer::Standing;
use quenty_kernel::id::CompanyId;
use quenty_platform::Error;
use sqlx::{PgConnection, PgExecutor, types::Json};

use crate::domain::standing::KnownStanding;

struct Row {
    standing: Json<Standing>,
    heard_at: jiff_sqlx::Timestamp,
}

impl From<Row> for KnownStanding {
    fn from(row: Row) -> Self {
        Self { standing: row.standing.0, heard_at: row.heard_at.to_jiff(), stale: false }
    }
}

pub(crate) async fn find(
    db: impl PgExecutor<'_>,
    company: CompanyId,
) -> Result<Option<KnownStanding>, Error> {
    let row = sqlx::query_as!(
        Row,
        "select standing as \"standing: Json<Standing>\", heard_at from standings where company_id = $1",
        company.uuid()
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(KnownStanding::from))
}

/// As [`find`], and no other one is kept until the transaction ends.
pub(crate) async fn lock_shared(
    connection: &mut PgConnection,
    company: CompanyId,
) -> Result<Option<KnownStanding>, Error> {
    let row = sqlx::query_as!(
        Row,
        "select standing as \"standing: Json<Standing>\", heard_at from standings where company_id = $1 for share",
        company.uuid()
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(KnownStanding::from))
}

/// Keeps the highest version, and when it was last confirmed. False for one that is older than what is known.
pub(crate) async fn keep(
    connection: &mut PgConnection,
    standing: &Standing,
    heard_at: Timestamp,
) -> Result<bool, Error> {
    let kept = sqlx::query!(
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
    Ok(kept.rows_affected() > 0)
}
