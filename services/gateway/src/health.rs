//! The health of all services, each asked at once, with how long it took to answer.

use std::time::{Duration, Instant};

use axum::body::Body;
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use crate::{Gateway, proxy, upstream::Upstream};

const TIMEOUT: Duration = Duration::from_secs(2);

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

pub(crate) async fn of_all(gateway: &Gateway) -> Response<Body> {
    let asked =
        futures_util::future::join_all(gateway.0.upstreams.iter().map(|upstream| ask(gateway, upstream)))
            .await;
    let ready = asked.iter().all(|(ready, _)| *ready) && gateway.table().complete;
    let (status, word) = told(ready);
    let services: Vec<Value> = asked.into_iter().map(|(_, told)| told).collect();
    proxy::json(status, json!({"service": "gateway", "status": word, "services": services}).to_string())
}

/// A service of several processes is as well as the one that is best.
async fn ask(gateway: &Gateway, upstream: &Upstream) -> (bool, Value) {
    let started = Instant::now();
    let answers = upstream.ask_all(&gateway.0.client, "/health/ready", TIMEOUT).await;
    let milliseconds = started.elapsed().as_millis() as u64;
    let best = answers.into_iter().max_by_key(|(status, _)| status.is_success());
    let told = best
        .and_then(|(status, body)| Some((status.is_success(), serde_json::from_slice::<Value>(&body).ok()?)));
    match told {
        Some((ready, body)) => (
            ready,
            json!({"service": upstream.name, "status": body["status"], "checks": body["checks"], "latency_ms": milliseconds}),
        ),
        None => {
            (false, json!({"service": upstream.name, "status": "unreachable", "latency_ms": milliseconds}))
        }
    }
}
