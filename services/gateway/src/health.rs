//! The health of all services, each asked at once, with how long it took to answer.

use std::time::Instant;

use axum::body::Body;
use futures_util::future::join_all;
use hyper::{Response, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    Gateway, proxy,
    upstream::{READINESS, READINESS_TIMEOUT, Upstream},
};

pub(crate) fn live() -> Response<Body> {
    proxy::json(StatusCode::OK, json!({"service": "gateway", "status": "live"}).to_string())
}

/// Whether this gateway can do its part. A service that is away takes its own operations with it, and no gateway.
pub(crate) async fn ready(gateway: &Gateway) -> Response<Body> {
    let checks = [("routes", gateway.table().has_routes()), ("keys", gateway.0.verifier.is_ready().await)];
    let (status, word) = if gateway.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining")
    } else {
        told(checks.iter().all(|(_, ok)| *ok))
    };
    let checks: Vec<Value> = checks.iter().map(|(name, ok)| json!({"name": name, "ok": ok})).collect();
    proxy::json(status, json!({"service": "gateway", "status": word, "checks": checks}).to_string())
}

fn told(ready: bool) -> (StatusCode, &'static str) {
    if ready { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not_ready") }
}

/// How a service is, as it says itself.
#[derive(Serialize)]
pub(crate) struct Seen {
    pub(crate) service: &'static str,
    /// `unreachable` where it says nothing.
    pub(crate) status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) checks: Option<Value>,
    pub(crate) latency_ms: u64,
    #[serde(skip)]
    pub(crate) is_ready: bool,
}

pub(crate) async fn look(gateway: &Gateway) -> Vec<Seen> {
    join_all(gateway.0.upstreams.iter().map(|upstream| ask(gateway, upstream))).await
}

pub(crate) async fn of_all(gateway: &Gateway) -> Response<Body> {
    let services = look(gateway).await;
    let (status, word) = told(services.iter().all(|seen| seen.is_ready) && gateway.table().complete);
    proxy::json(status, json!({"service": "gateway", "status": word, "services": services}).to_string())
}

/// A service of several processes is as well as the one that is best.
async fn ask(gateway: &Gateway, upstream: &Upstream) -> Seen {
    let started = Instant::now();
    let answers = upstream.ask_all(&gateway.0.connector, READINESS, READINESS_TIMEOUT).await;
    let latency_ms = started.elapsed().as_millis() as u64;
    let best = answers.into_iter().max_by_key(|(status, _)| status.is_success());
    let told = best.and_then(|(status, body)| Some((status, serde_json::from_slice::<Value>(&body).ok()?)));
    let (is_ready, status, checks) = match told {
        Some((status, body)) => {
            let word = body["status"].as_str().unwrap_or_default().to_owned();
            (status.is_success(), word, Some(body["checks"].clone()))
        }
        None => (false, "unreachable".to_owned(), None),
    };
    Seen { service: upstream.name, status, checks, latency_ms, is_ready }
}
