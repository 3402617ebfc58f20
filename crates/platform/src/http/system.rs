//! What every process answers beside its business: health, metrics, its own description.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use quenty_kernel::{Failure, Kind};
use serde::Serialize;

use super::problem;
use crate::App;

/// Whoever asks wants to hear what is away before they give up waiting.
const CHECK_LIMIT: Duration = Duration::from_secs(1);

#[derive(Debug, Serialize)]
struct Health {
    service: &'static str,
    status: &'static str,
    checks: Vec<Check>,
}

#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'static str>,
}

pub(super) fn routes(openapi: Arc<String>) -> Router<App> {
    let document = move || {
        let body = openapi.as_ref().clone();
        async move { ([(header::CONTENT_TYPE, "application/json")], body) }
    };
    Router::new()
        .route("/health", get(ready))
        .route("/health/ready", get(ready))
        .route("/health/live", get(live))
        .route("/metrics", get(crate::telemetry::render))
        .route("/openapi.json", get(document))
}

/// What a process answers until its database is there and migrated.
pub(crate) fn waiting(service: &'static str) -> Router {
    let live = move || async move { axum::Json(Health { service, status: "live", checks: Vec::new() }) };
    let not_yet = || async {
        problem::response(
            &Failure::new(
                Kind::Unavailable,
                "STARTING",
                "the service waits for its database and its migrations; try again",
            )
            .retry_after(1),
        )
    };
    Router::new().route("/health/live", get(live)).fallback(not_yet)
}

async fn live(State(app): State<App>) -> impl IntoResponse {
    axum::Json(Health { service: app.name(), status: "live", checks: Vec::new() })
}

async fn ready(State(app): State<App>) -> impl IntoResponse {
    // So it is while the server follows another one, too.
    let read_only =
        sqlx::query_scalar!("select current_setting('transaction_read_only') = 'on' as \"read_only!\"")
            .fetch_one(app.db());
    let (database, bus, keys) = tokio::join!(
        tokio::time::timeout(CHECK_LIMIT, read_only),
        app.bus().check(),
        app.verifier().is_ready()
    );
    let (database, why_not) = match database {
        Ok(Ok(read_only)) => (!read_only, "the database is read-only: it may follow another one now"),
        _ => (false, "the database cannot be reached"),
    };
    let bus = bus.is_ok();
    let check = |name, ok, detail: &'static str| Check { name, ok, detail: (!ok).then_some(detail) };
    let checks = vec![
        check("database", database, why_not),
        // Requests are still served: facts wait in the outbox until the bus returns.
        check("bus", bus, "the bus cannot be reached, or takes nothing in; events wait in the outbox"),
        check("keys", keys, "Auth's public keys and revocations have not been read yet"),
    ];
    let able = database && keys;
    let status = match (able, bus) {
        (true, true) => "ready",
        (true, false) => "degraded",
        _ => "not_ready",
    };
    let code = if able { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, axum::Json(Health { service: app.name(), status, checks }))
}
