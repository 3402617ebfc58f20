//! Access tokens that are over before their time.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::id::new_uuid;
use quenty_platform::{Result, revocations::Revocation};
use sqlx::{PgConnection, PgExecutor};

/// `pg_advisory_xact_lock` key: held shared by whoever signs a token, and alone by whoever revokes.
const SIGNING: i64 = 0x7175_656e_7479_0102;

/// From here to its end, a transaction may read what a token will say and sign it: whoever changes that waits, and then
/// revokes this token, too. Taken after the locks of rows, before what is read without one.
pub async fn lock_shared(connection: &mut PgConnection) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock_shared($1)", SIGNING).execute(connection).await?;
    Ok(())
}

/// Waits for the transactions that sign, and keeps others from it until the end of this one.
pub async fn lock_alone(connection: &mut PgConnection) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock($1)", SIGNING).execute(connection).await?;
    Ok(())
}

pub async fn insert(connection: &mut PgConnection, revocation: &Revocation) -> Result<()> {
    sqlx::query!(
        "insert into revocations (id, digest, issued_before, until) values ($1, $2, $3, $4)",
        new_uuid(),
        revocation.digest,
        revocation.issued_before,
        revocation.until.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Those that may still concern a token, with a name for this state of the list.
pub async fn live(db: impl PgExecutor<'_>, now: Timestamp) -> Result<(Vec<Revocation>, String)> {
    let rows = sqlx::query!(
        "select id, digest, issued_before, until as \"until: jiff_sqlx::Timestamp\" from revocations where until > $1 order by id",
        now.to_sqlx() as _
    )
    .fetch_all(db)
    .await?;
    let newest = rows.last().map(|row| row.id.to_string()).unwrap_or_default();
    let version = format!("\"{}-{newest}\"", rows.len());
    let revocations = rows.into_iter().map(|row| Revocation {
        digest: row.digest,
        issued_before: row.issued_before,
        until: row.until.to_jiff(),
    });
    Ok((revocations.collect(), version))
}

pub async fn prune(connection: &mut PgConnection, now: Timestamp) -> Result<()> {
    sqlx::query!("delete from revocations where until < $1", now.to_sqlx() as _).execute(connection).await?;
    Ok(())
}
