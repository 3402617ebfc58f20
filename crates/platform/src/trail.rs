//! A service's journal, searched: the audit trail. Auth asks each service for it by the internal route; people ask Auth.

use axum::extract::State;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::{Actor, Cursor, Page, PageQuery, Scope, contact::Text, id::uuid_of, page::Limit};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    App, Result,
    http::{Can, Json, Query},
    journal::{self, Entry, EntryRow, Verification},
    routes,
};

crate::permissions! {
    ReadJournal = "internal.journal:read";
}

/// What a trail is narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Search {
    /// `user:USER-…`, `service:order` or `system`.
    #[param(value_type = Option<String>)]
    pub actor: Option<Actor>,
    /// A type of fact.
    #[serde(rename = "type")]
    #[param(value_type = Option<String>)]
    pub kind: Option<Text<120>>,
    /// The id of what it is about, its stream; or of the user who is its `user_id`, or of the person whose personal data are
    /// in it.
    #[param(value_type = Option<String>)]
    pub subject: Option<Text<60>>,
    pub from: Option<Timestamp>,
    /// Up to, but not including.
    pub to: Option<Timestamp>,
    /// Items a page, 1 to 100.
    #[serde(default)]
    #[param(inline, required = false)]
    pub limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    pub cursor: Option<Cursor>,
}

/// The entries that fit, newest first.
///
/// # Errors
/// When the database cannot be read.
pub async fn search(db: &PgPool, scope: Scope, search: &Search) -> Result<Page<Entry>> {
    let page = PageQuery { limit: search.limit, cursor: search.cursor };
    let rows = sqlx::query_as!(
        EntryRow,
        "select j.id, j.stream, j.stream_version, j.type as kind, j.data, p.data as \"personal?\", j.actor, j.company_id,
                j.correlation_id, j.causation_id, j.occurred_at
         from quenty.journal j left join quenty.journal_personal p on p.event_id = j.id
         where ($1::uuid is null or j.company_id = $1) and ($2::text is null or j.actor = $2) and ($3::text is null or j.type = $3)
           and ($4::text is null or j.id = any(array(
             select s.id from quenty.journal s where s.stream = $4
             union select n.id from quenty.journal n where n.data ->> 'user_id' = $4
             union select o.event_id from quenty.journal_personal o where o.subject = $9))) and ($5::timestamptz is null or j.occurred_at >= $5)
           and ($6::timestamptz is null or j.occurred_at < $6) and ($7::uuid is null or j.id < $7)
         order by j.id desc limit $8",
        scope.company_uuid(),
        search.actor.as_ref().map(Actor::to_string),
        search.kind.as_ref().map(Text::to_string),
        search.subject.as_ref().map(Text::to_string),
        search.from.map(|t| t.to_sqlx()) as _,
        search.to.map(|t| t.to_sqlx()) as _,
        page.before(),
        page.fetch(),
        search.subject.as_ref().and_then(|subject| uuid_of(subject.as_str()))
    )
    .fetch_all(db)
    .await?;
    let entries = rows.into_iter().map(Entry::try_from).collect::<Result<Vec<_>>>()?;
    Ok(Page::from_rows(entries, &page, |entry| entry.id))
}

/// Where verifying goes on.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct VerifyFrom {
    /// `next_after` of the part before.
    #[param(value_type = Option<String>)]
    pub after: Option<Text<120>>,
}

/// What was found in a part of a journal.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct VerifiedPart {
    #[serde(flatten)]
    pub verification: Verification,
    /// Where the next part begins; none after the last one.
    pub next_after: Option<String>,
}

/// Verifies hash chains, a bounded number of them.
///
/// # Errors
/// When the database cannot be read.
pub async fn verify(db: &PgPool, from: &VerifyFrom) -> Result<VerifiedPart> {
    let mut verification = Verification::default();
    let after = from.after.as_ref().map_or("", Text::as_str);
    let next_after = journal::verify_part(db, after, &mut verification).await?;
    Ok(VerifiedPart { verification, next_after })
}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_journal)).routes(routes!(verify_journal))
}

/// Search this service's journal, newest first.
#[utoipa::path(get, path = "/internal/journal", tag = "operations", params(Search), security(("bearer" = ["internal.journal:read"])), responses((status = 200, body = Page<Entry>)))]
async fn list_journal(
    State(app): State<App>,
    caller: Can<ReadJournal>,
    Query(query): Query<Search>,
) -> Result<Json<Page<Entry>>> {
    Ok(Json(search(app.db(), caller.scope()?, &query).await?))
}

/// Verify hash chains of this service's journal, some at a time.
#[utoipa::path(get, path = "/internal/journal/verification", tag = "operations", params(VerifyFrom), security(("bearer" = ["internal.journal:read"])), responses((status = 200, body = VerifiedPart)))]
async fn verify_journal(
    State(app): State<App>,
    _caller: Can<ReadJournal>,
    Query(from): Query<VerifyFrom>,
) -> Result<Json<VerifiedPart>> {
    Ok(Json(verify(app.db(), &from).await?))
}
