//! The audit trail: who did what, when and from where.

use axum::extract::{RawQuery, State};
use quenty_kernel::{Actor, Cursor, Failure, Page, Scope, Timestamp, contact::Text, page::Limit};
use quenty_platform::{
    App, Result,
    http::{Can, Json, Query},
    journal::Entry,
    trail::{self, Search, VerifiedPart, VerifyFrom},
};
use serde::{Deserialize, de::DeserializeOwned};
use url::form_urlencoded;
use utoipa::IntoParams;

use super::{ReadAudit, VerifyAudit, authority::staff_only};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditQuery {
    /// Whose trail; Auth's own unless told.
    #[param(value_type = Option<String>, example = "order")]
    service: Option<Text<30>>,
    /// `user:USER-…`, `service:order` or `system`.
    #[param(value_type = Option<String>)]
    actor: Option<Actor>,
    /// A type of fact.
    #[serde(rename = "type")]
    #[param(value_type = Option<String>, example = "quenty.auth.login.failed.v1")]
    kind: Option<Text<120>>,
    /// The id of what it is about; of a user, also what has them as `user_id`, such as the end of a session, and what tells
    /// from where they, or others as them, came.
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

/// Search the audit trail of a service, newest first.
#[utoipa::path(get, path = "/api/v1/admin/audit", operation_id = "list_audit", tag = "audit", params(AuditQuery),
    security(("bearer" = ["audit:read"])), responses((status = 200, body = Page<Entry>), (status = 404, description = "`NOT_FOUND`: there is no such service")))]
pub(super) async fn list_audit(
    State(app): State<App>,
    caller: Can<ReadAudit>,
    Query(query): Query<AuditQuery>,
    RawQuery(raw): RawQuery,
) -> Result<Json<Page<Entry>>> {
    staff_only(&caller)?;
    let AuditQuery { service, actor, kind, subject, from, to, limit, cursor } = query;
    match service.filter(|name| name.as_str() != app.name()) {
        Some(name) => Ok(Json(ask_another(&app, name.as_str(), "/internal/journal", raw).await?)),
        None => {
            let search = Search { actor, kind, subject, from, to, limit, cursor };
            Ok(Json(trail::search(app.db(), Scope::All, &search).await?))
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct VerifyQuery {
    /// Whose trail; Auth's own unless told.
    #[param(value_type = Option<String>, example = "order")]
    service: Option<Text<30>>,
    /// `next_after` of the part before.
    #[param(value_type = Option<String>)]
    after: Option<Text<120>>,
}

/// Verify the hash chains of a service's journal, some at a time.
///
/// Go on with `after` until there is no `next_after`. A change, a gap or a lost end is a finding. A journal that is too
/// long for this, and answers 503, is for `quenty audit verify`. What was signed outside
/// the database is compared by `quenty audit verify`.
#[utoipa::path(get, path = "/api/v1/admin/audit/verify", operation_id = "verify_audit", tag = "audit", params(VerifyQuery),
    security(("bearer" = ["audit:verify"])), responses((status = 200, body = VerifiedPart), (status = 404, description = "`NOT_FOUND`: there is no such service")))]
pub(super) async fn verify_audit(
    State(app): State<App>,
    caller: Can<VerifyAudit>,
    Query(query): Query<VerifyQuery>,
    RawQuery(raw): RawQuery,
) -> Result<Json<VerifiedPart>> {
    staff_only(&caller)?;
    let VerifyQuery { service, after } = query;
    match service.filter(|name| name.as_str() != app.name()) {
        Some(name) => {
            Ok(Json(ask_another(&app, name.as_str(), "/internal/journal/verification", raw).await?))
        }
        None => Ok(Json(trail::verify(app.db(), &VerifyFrom { after }).await?)),
    }
}

/// Asks the service itself, by the same query.
async fn ask_another<T: DeserializeOwned>(
    app: &App,
    name: &str,
    path: &str,
    raw: Option<String>,
) -> Result<T> {
    let service = app.client().find(name).ok_or_else(|| Failure::not_found("service"))?;
    let raw = raw.unwrap_or_default();
    let passed = form_urlencoded::parse(raw.as_bytes()).filter(|(name, _)| name != "service");
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(passed).finish();
    Ok(app.client().get(service, &format!("{path}?{query}")).await?)
}
