//! Imports: the file in pieces, how far it has come, what was wrong with it.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::{
    Scope,
    id::{CompanyId, ImportId},
};
use quenty_platform::Result;
use serde_json::{Value, json};
use sqlx::{PgConnection, PgExecutor};

use crate::domain::import::{Assumptions, ImportOptions, RowError};

/// Of one import. Each has 500 characters at most, so that all of them are an answer of two megabytes.
const ERRORS_KEPT: i64 = 1_000;

/// How far an import has come.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    pub(crate) id: ImportId,
    pub(crate) options: ImportOptions,
    pub(crate) status: String,
    pub(crate) bytes: i64,
    pub(crate) processed: i64,
    pub(crate) created: i64,
    pub(crate) already_there: i64,
    pub(crate) rejected: i64,
    pub(crate) assumed: Value,
    pub(crate) failure: Option<String>,
    pub(crate) created_by: String,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// What became of one order of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Created,
    AlreadyThere,
    Rejected,
}

pub(crate) async fn insert(
    db: impl PgExecutor<'_>,
    id: ImportId,
    options: ImportOptions,
    created_by: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "insert into imports (id, company_id, status, dry_run, assume_stock, bytes, processed, created, already_there, rejected, assumed, created_by, created_at, updated_at)
         values ($1, $2, 'uploading', $3, $4, 0, 0, 0, 0, 0, '{}', $5, $6, $6)",
        id.uuid(),
        options.company_id.uuid(),
        options.dry_run,
        options.assume_stock,
        created_by,
        now.to_sqlx() as _
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps the next piece of the file.
pub(crate) async fn append(db: impl PgExecutor<'_>, id: ImportId, number: i32, content: &[u8]) -> Result<()> {
    sqlx::query!(
        "insert into import_parts (import_id, number, content) values ($1, $2, $3)",
        id.uuid(),
        number,
        content
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Lets an upload go that did not come to its end.
pub(crate) async fn forget_upload(db: impl PgExecutor<'_>, id: ImportId) -> Result<()> {
    sqlx::query!("delete from imports where id = $1 and status = 'uploading'", id.uuid()).execute(db).await?;
    Ok(())
}

/// Lets uploads go that began before `before` and broke off with their connection or their process.
pub(crate) async fn forget_broken_uploads(db: impl PgExecutor<'_>, before: Timestamp) -> Result<u64> {
    let gone = sqlx::query!(
        "delete from imports where status = 'uploading' and created_at < $1",
        before.to_sqlx() as _
    )
    .execute(db)
    .await?;
    Ok(gone.rows_affected())
}

/// One piece of the file; `None` after the last.
pub(crate) async fn part(db: impl PgExecutor<'_>, id: ImportId, number: i32) -> Result<Option<Vec<u8>>> {
    Ok(sqlx::query_scalar!(
        "select content from import_parts where import_id = $1 and number = $2",
        id.uuid(),
        number
    )
    .fetch_optional(db)
    .await?)
}

/// The file is whole: the work may begin.
pub(crate) async fn start(
    connection: &mut PgConnection,
    id: ImportId,
    bytes: i64,
    now: Timestamp,
) -> Result<()> {
    sqlx::query!("update imports set status = 'running', bytes = $2, updated_at = $3 where id = $1 and status = 'uploading'", id.uuid(), bytes, now.to_sqlx() as _).execute(connection).await?;
    Ok(())
}

pub(crate) async fn find(db: impl PgExecutor<'_>, scope: Scope, id: ImportId) -> Result<Option<Progress>> {
    let row = sqlx::query!(
        "select company_id, status, dry_run, assume_stock, bytes, processed, created, already_there, rejected, assumed, failure, created_by, created_at, updated_at
         from imports where id = $1 and ($2::uuid is null or company_id = $2)",
        id.uuid(),
        scope.company_uuid()
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Progress {
        id,
        options: ImportOptions {
            company_id: CompanyId::from_uuid(row.company_id),
            dry_run: row.dry_run,
            assume_stock: row.assume_stock,
        },
        status: row.status,
        bytes: row.bytes,
        processed: row.processed,
        created: row.created,
        already_there: row.already_there,
        rejected: row.rejected,
        assumed: row.assumed,
        failure: row.failure,
        created_by: row.created_by,
        created_at: row.created_at.to_jiff(),
        updated_at: row.updated_at.to_jiff(),
    }))
}

/// Counts the `number`-th order of the file, once: false when another worker has counted it already.
pub(crate) async fn count(
    connection: &mut PgConnection,
    id: ImportId,
    number: i64,
    outcome: Outcome,
    assumed: &Assumptions,
    now: Timestamp,
) -> Result<bool> {
    let times = |wanted| i64::from(outcome == wanted);
    let counts: Value = assumed
        .counts()
        .map(|(name, count)| (name.to_owned(), json!(count)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let counted = sqlx::query!(
        "update imports set processed = $2::bigint, created = created + $3, already_there = already_there + $4, rejected = rejected + $5, updated_at = $7,
            assumed = (select coalesce(jsonb_object_agg(name, total), '{}') from (
                select name, sum(times::bigint) as total from (select * from jsonb_each_text(assumed) union all select * from jsonb_each_text($6::jsonb)) as merged(name, times)
                group by name) as summed)
         where id = $1 and status = 'running' and processed = $2::bigint - 1",
        id.uuid(),
        number,
        times(Outcome::Created),
        times(Outcome::AlreadyThere),
        times(Outcome::Rejected),
        counts,
        now.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(counted.rows_affected() == 1)
}

/// Of the products that a dry run would make, those that it has not counted yet.
pub(crate) async fn note_estimates(
    connection: &mut PgConnection,
    id: ImportId,
    skus: &[String],
) -> Result<u32> {
    let new = sqlx::query!(
        "insert into import_estimates (import_id, sku) select distinct $1::uuid, lower(sku) from unnest($2::text[]) as sku on conflict do nothing",
        id.uuid(),
        skus
    )
    .execute(connection)
    .await?;
    super::narrow(new.rows_affected())
}

/// Keeps why an order that was just counted was rejected, if it is one of the first: a file may be wrong in every row.
pub(crate) async fn note_error(connection: &mut PgConnection, id: ImportId, error: &RowError) -> Result<()> {
    sqlx::query!(
        "insert into import_errors (import_id, line, field, code, detail)
         select id, $2::bigint, $3::text, $4::text, $5::text from imports where id = $1 and rejected <= $6",
        id.uuid(),
        error.line.cast_signed(),
        error.field,
        error.code,
        error.detail,
        ERRORS_KEPT
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends an import, well or with the reason why not, and lets the file go.
pub(crate) async fn finish(
    connection: &mut PgConnection,
    id: ImportId,
    failure: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    let status = if failure.is_some() { "failed" } else { "done" };
    sqlx::query!(
        "update imports set status = $2, failure = $3, updated_at = $4 where id = $1",
        id.uuid(),
        status,
        failure,
        now.to_sqlx() as _
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "with estimates as (delete from import_estimates where import_id = $1) delete from import_parts where import_id = $1",
        id.uuid()
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// An error as it was kept.
#[derive(Debug, Clone)]
pub(crate) struct ErrorRow {
    pub(crate) id: i64,
    pub(crate) line: i64,
    pub(crate) field: String,
    pub(crate) code: String,
    pub(crate) detail: String,
}

/// The errors after `after`, in the file's order.
pub(crate) async fn errors(
    db: impl PgExecutor<'_>,
    id: ImportId,
    after: i64,
    limit: i64,
) -> Result<Vec<ErrorRow>> {
    Ok(sqlx::query_as!(ErrorRow, "select id, line, field, code, detail from import_errors where import_id = $1 and id > $2 order by id limit $3", id.uuid(), after, limit).fetch_all(db).await?)
}
