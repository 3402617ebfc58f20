//! Auth's own journal, searched. It is written by the chassis and by nobody else.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::{Page, PageQuery, Scope, id::CompanyId};
use quenty_platform::{Error, Result, journal::Entry};
use serde_json::Value;
use sqlx::PgExecutor;

/// What the audit trail may be narrowed to.
#[derive(Debug, Default)]
pub struct Filter {
    pub actor: Option<String>,
    pub kind: Option<String>,
    pub subject: Option<String>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

pub async fn list(
    db: impl PgExecutor<'_>,
    scope: Scope,
    filter: &Filter,
    page: &PageQuery,
) -> Result<Page<Entry>> {
    let rows = sqlx::query!(
        "select j.id, j.stream, j.stream_version, j.type as kind, j.data, p.data as \"personal?\", j.actor, j.company_id,
                j.correlation_id, j.causation_id, j.occurred_at
         from quenty.journal j left join quenty.journal_personal p on p.event_id = j.id
         where ($1::uuid is null or j.company_id = $1) and ($2::text is null or j.actor = $2) and ($3::text is null or j.type = $3)
           and ($4::text is null or j.stream = $4) and ($5::timestamptz is null or j.occurred_at >= $5)
           and ($6::timestamptz is null or j.occurred_at < $6) and ($7::uuid is null or j.id < $7)
         order by j.id desc limit $8",
        scope.company_uuid(),
        filter.actor,
        filter.kind,
        filter.subject,
        filter.from.map(|t| t.to_sqlx()) as _,
        filter.to.map(|t| t.to_sqlx()) as _,
        page.before(),
        page.fetch()
    )
    .fetch_all(db)
    .await?;
    let entries = rows.into_iter().map(|row| {
        let mut data = row.data;
        if let (Some(object), Some(Value::Object(personal))) = (data.as_object_mut(), row.personal) {
            object.extend(personal);
        }
        Ok(Entry {
            id: row.id,
            stream: row.stream,
            stream_version: row.stream_version,
            kind: row.kind,
            data,
            actor: row.actor.parse().map_err(Error::internal)?,
            company_id: row.company_id.map(CompanyId::from_uuid),
            correlation_id: row.correlation_id,
            causation_id: row.causation_id,
            occurred_at: row.occurred_at.to_jiff(),
        })
    });
    Ok(Page::from_rows(entries.collect::<Result<Vec<_>>>()?, page, |entry| entry.id))
}
