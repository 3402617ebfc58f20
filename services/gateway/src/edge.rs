//! Around everything that the gateway answers: request id, trace, problem documents, metrics, the access log.

use std::{net::SocketAddr, time::Instant};

use axum::{body::Body, response::IntoResponse};
use hyper::{
    HeaderMap, Method, Request, Response,
    header::{self, HeaderName, HeaderValue},
};
use quenty_kernel::{Failure, Kind, id::new_uuid};
use quenty_platform::{
    Error,
    http::{REQUEST_ID, method_label, problem},
    telemetry,
    trace::TraceParent,
};

use crate::{Gateway, health, proxy, reference};

pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

pub(crate) async fn answer(
    gateway: &Gateway,
    mut request: Request<Body>,
    peer: SocketAddr,
) -> Response<Body> {
    let started = Instant::now();
    let trace = TraceParent::following(text(request.headers(), &TRACEPARENT));
    let request_id = text(request.headers(), &REQUEST_ID)
        .and_then(|id| uuid::Uuid::try_parse(id).ok())
        .unwrap_or_else(new_uuid)
        .to_string();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    proxy::prepare(&mut request, peer, trace, &request_id);

    let (route, outcome) = match own_route(&path, peer) {
        Some(route) => (route.to_owned(), own(gateway, route, &method, &path).await),
        None => proxy::forward(gateway, request).await,
    };
    let response = outcome.unwrap_or_else(|failure| Error::from(failure).into_response());
    let mut response = problem::finish(response, &path, &trace.trace_id());
    if let Ok(value) = HeaderValue::try_from(&request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let (status, seconds) = (response.status().as_u16(), started.elapsed().as_secs_f64());
    metrics::histogram!("quenty_http_request_seconds", "service" => "gateway", "route" => route.clone(), "method" => method_label(&method), "status" => status.to_string()).record(seconds);
    tracing::info!(%method, route, status, milliseconds = seconds * 1e3, trace_id = trace.trace_id(), request_id, "request");
    response
}

/// What the gateway answers by itself.
fn own_route(path: &str, peer: SocketAddr) -> Option<&'static str> {
    match path {
        "/health" => Some("/health"),
        "/health/ready" => Some("/health/ready"),
        "/health/live" => Some("/health/live"),
        "/openapi.json" => Some("/openapi.json"),
        "/api/versions" => Some("/api/versions"),
        // For a collector on this machine; strangers learn nothing of what runs here.
        "/metrics" if peer.ip().is_loopback() => Some("/metrics"),
        "/docs" => Some("/docs"),
        path if path.starts_with("/docs/") => Some("/docs"),
        _ => None,
    }
}

async fn own(gateway: &Gateway, route: &str, method: &Method, path: &str) -> Result<Response<Body>, Failure> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Ok(method_not_allowed(&["GET", "HEAD"]));
    }
    Ok(match route {
        "/health" => health::of_all(gateway).await,
        "/health/ready" => health::ready(gateway).await,
        "/health/live" => health::live(),
        "/openapi.json" => reference::document(&gateway.table()),
        "/api/versions" => reference::versions(),
        "/metrics" => Response::new(Body::from(telemetry::render().await)),
        _ => reference::page(path),
    })
}

pub(crate) fn method_not_allowed(methods: &[&str]) -> Response<Body> {
    let methods = methods.join(", ");
    let failure =
        Failure::new(Kind::MethodNotAllowed, "METHOD_NOT_ALLOWED", format!("this path takes {methods}"));
    let mut response = problem::response(&failure);
    if let Ok(allow) = HeaderValue::try_from(methods) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
