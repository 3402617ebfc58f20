//! The audit trail: who did what, when and from where.

use axum::extract::State;
use quenty_kernel::{Actor, Cursor, Page, PageQuery, Timestamp, contact::Text, page::Limit};
use quenty_platform::{
    App, Result,
    http::{Can, Json, Query},
    journal::Entry,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::ReadAudit;
use crate::store::{self, audit::Filter};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditQuery {
    /// `user:USER-…`, `service:order` or `system`.
    #[param(value_type = Option<String>)]
    actor: Option<Actor>,
    /// A type of fact.
    #[serde(rename = "type")]
    #[param(value_type = Option<String>, example = "quenty.auth.login.failed.v1")]
    kind: Option<Text<120>>,
    /// The id of what it is about, such as a user's.
    #[param(value_type = Option<String>)]
    subject: Option<Text<60>>,
    from: Option<Timestamp>,
    /// Up to, but not including.
    to: Option<Timestamp>,
    /// Items a page, 1 to 100.
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// Search Auth's audit trail, newest first.
#[utoipa::path(get, path = "/api/v1/admin/audit", operation_id = "list_audit", tag = "audit", params(AuditQuery),
    security(("bearer" = ["audit:read"])), responses((status = 200, body = Page<Entry>)))]
pub(super) async fn list_audit(
    State(app): State<App>,
    caller: Can<ReadAudit>,
    Query(query): Query<AuditQuery>,
) -> Result<Json<Page<Entry>>> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let filter = Filter {
        actor: query.actor.map(|actor| actor.to_string()),
        kind: query.kind.map(|kind| kind.to_string()),
        subject: query.subject.map(|subject| subject.to_string()),
        from: query.from,
        to: query.to,
    };
    Ok(Json(store::audit::list(app.db(), caller.scope()?, &filter, &page).await?))
}
