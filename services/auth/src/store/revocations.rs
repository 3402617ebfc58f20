//! Access tokens that are over before their time.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::id::new_uuid;
use quenty_platform::{Result, revocations::Revocation};
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

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

/// In the place of what it covers: of the same session, key, person or company there is one entry, however often it is
/// revoked. After [`lock_alone`]: nobody else writes then.
pub async fn insert(connection: &mut PgConnection, revocation: &Revocation) -> Result<()> {
    sqlx::query!(
        "with covered as (
             delete from revocations where digest = $2::text and (issued_before is null or issued_before <= $3::uuid)
             returning until)
         insert into revocations (id, digest, issued_before, until)
         select $1::uuid, $2::text, $3::uuid, greatest($4::timestamptz, (select max(until) from covered))",
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
    let version = version(rows.iter().map(|row| row.id));
    let revocations = rows.into_iter().map(|row| Revocation {
        digest: row.digest,
        issued_before: row.issued_before,
        until: row.until.to_jiff(),
    });
    Ok((revocations.collect(), version))
}

/// A digest of all ids, in their order. The clocks of replicas differ, so that while one entry ends a new one may have a
/// smaller id than the last: how many there are and which is the largest would tell nothing of it.
fn version(ids: impl Iterator<Item = Uuid>) -> String {
    let hash = ids.fold(Sha256::new(), |hash, id| hash.chain_update(id.as_bytes())).finalize();
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(&hash[..16]))
}

pub async fn prune(connection: &mut PgConnection, now: Timestamp) -> Result<()> {
    sqlx::query!("delete from revocations where until < $1", now.to_sqlx() as _).execute(connection).await?;
    Ok(())
}
