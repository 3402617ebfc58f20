//! Around everything that the gateway answers: who asks, request id, trace, problem documents, what is said with every
//! answer, metrics, the access log.

use std::{fmt, io::Write, sync::Arc, time::Instant};

use axum::{
    body::{Body, HttpBody},
    response::IntoResponse,
};
use hyper::{
    HeaderMap, Method, Request, Response,
    header::{self, HeaderName, HeaderValue},
};
use quenty_kernel::{Failure, Kind, id::new_uuid};
use quenty_platform::{
    Error,
    http::{REQUEST_ID, problem},
    span::{Span, SpanKind},
    telemetry,
    token::Claims,
    trace::TraceParent,
};
use uuid::Uuid;

use crate::{
    Gateway,
    client_address::{Client, FORWARDED_FOR},
    compression::{self, Coding},
    door, health,
    limits::{Class, Principal},
    proxy, reference, status,
    timings::Timings,
};

pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// Said with every answer, about.
const OWN_HEADERS: usize = 12;
const OWN_METHODS: [&str; 2] = ["GET", "HEAD"];
/// As nginx writes it: the client was gone before there was an answer.
const CLIENT_GONE: u16 = 499;

pub(crate) type Told = Vec<(HeaderName, HeaderValue)>;

/// One request, as far as everybody on its way has to know it. It is counted and logged when it is dropped: that of a
/// client that waits no longer is given up by hyper, wherever it is, and nothing after it is done.
pub(crate) struct Visit {
    started: Instant,
    method: Method,
    /// Of the answer.
    status: u16,
    pub(crate) client: Client,
    pub(crate) trace: TraceParent,
    seen: Span,
    pub(crate) request_id: HeaderValue,
    pub(crate) timings: Arc<Timings>,
    pub(crate) caller: Option<Arc<Claims>>,
    /// That services count the caller by; few have the same.
    pub(crate) number: u8,
    /// What the answer says, whatever it is.
    pub(crate) told: Told,
}

impl Visit {
    fn begin(gateway: &Gateway, request: &Request<Body>, peer: Client) -> Self {
        let headers = request.headers();
        let seen = Span::begin("gateway", SpanKind::Server, text(headers, &TRACEPARENT));
        let request_id = text(headers, &REQUEST_ID).and_then(|id| Uuid::try_parse(id).ok());
        Self {
            started: Instant::now(),
            method: request.method().clone(),
            status: CLIENT_GONE,
            client: gateway.0.proxies.client(peer, headers),
            trace: seen.context(),
            seen,
            request_id: written(request_id.unwrap_or_else(new_uuid)),
            timings: Arc::clone(&gateway.0.unmatched),
            caller: None,
            number: 0,
            told: Told::new(),
        }
    }
}

pub(crate) async fn answer(gateway: &Gateway, request: Request<Body>, peer: Client) -> Response<Body> {
    let mut visit = Visit::begin(gateway, &request, peer);
    let uri = request.uri().clone();
    let origin = request.headers().get(header::ORIGIN).cloned();
    let is_chunked = door::is_chunked(request.headers());
    let coding = Coding::wanted(request.headers());

    let outcome = match door::check(&request) {
        Ok(()) => serve(gateway, request, &mut visit, peer).await,
        Err(failure) => Err(failure),
    };
    let response = outcome.unwrap_or_else(|failure| Error::from(failure).into_response());
    let (path, trace) = (uri.path(), visit.trace);
    let finish = |response| problem::finish(response, path, trace);
    let compressed = compression::apply(coding, &visit.method, finish(response)).await;
    let mut response = compressed.unwrap_or_else(|failure| finish(Error::from(failure).into_response()));
    if visit.method == Method::HEAD {
        leave_body_out(&mut response);
    }
    let headers = response.headers_mut();
    headers.reserve(visit.told.len() + OWN_HEADERS);
    headers.extend(std::mem::take(&mut visit.told));
    headers.insert(REQUEST_ID, visit.request_id.clone());
    gateway.0.cors.tell(origin.as_ref(), headers);
    gateway.0.guards.add(visit.client.by_tls, path.starts_with("/docs") || path == "/status", headers);
    if is_chunked {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    visit.status = response.status().as_u16();
    response
}

/// hyper does it for HTTP/1 alone. A service that has left it out already says how long it would be, or does not know.
fn leave_body_out(response: &mut Response<Body>) {
    let length = response.body().size_hint().exact().filter(|length| *length > 0);
    *response.body_mut() = Body::empty();
    if let Some(length) = length {
        response.headers_mut().entry(header::CONTENT_LENGTH).or_insert(length.into());
    }
}

impl Drop for Visit {
    /// The access log and the metrics. Nothing that a client wrote goes in as it is: the route is ours, the id and the
    /// address were parsed, a method is a token (RFC 9110, 9.1).
    fn drop(&mut self) {
        let (method, status, route) = (&self.method, self.status, &*self.timings.route);
        self.seen.serves(method, route);
        self.seen.answered(status, 500);
        let seconds = self.started.elapsed().as_secs_f64();
        self.timings.record(method, status, seconds);
        let caller = self.caller.as_ref().map(|claims| claims.sub.as_str());
        tracing::info!(%method, route, status, milliseconds = seconds * 1e3, client = %self.client.address, caller, trace_id = self.trace.trace_id(), request_id = self.request_id.to_str().ok(), "request");
    }
}

async fn serve(
    gateway: &Gateway,
    mut request: Request<Body>,
    visit: &mut Visit,
    peer: Client,
) -> Result<Response<Body>, Failure> {
    // What a proxy passes on comes from elsewhere.
    let is_from_here = peer.address.is_loopback() && !request.headers().contains_key(FORWARDED_FOR);
    let Some(route) = own_route(request.uri().path(), is_from_here) else {
        if !gateway.has_begun() {
            Box::pin(gateway.begin()).await;
        }
        proxy::prepare(&mut request, visit);
        return proxy::forward(gateway, request, visit).await;
    };
    visit.timings = gateway.own_timings(route);
    if gateway.0.cors.is_preflight(request.method(), request.headers()) {
        return gateway.0.cors.preflight(&OWN_METHODS, request.headers());
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(method_not_allowed(&OWN_METHODS));
    }
    // Who watches over us asks often, and must always be told.
    if route.starts_with("/health") || route == "/metrics" {
        visit.seen.forget();
    } else {
        let who = Principal::at(visit.client.address);
        gateway.0.limits.take(Class::Public, &who, 1, &mut visit.told).await?;
    }
    // On the heap: else every request that is sent on would carry the room for these pages.
    Ok(Box::pin(own(gateway, route, request.uri().path(), request.headers())).await)
}

/// What the gateway answers by itself.
fn own_route(path: &str, is_from_here: bool) -> Option<&'static str> {
    match path {
        "/health" => Some("/health"),
        "/health/ready" => Some("/health/ready"),
        "/health/live" => Some("/health/live"),
        "/status" => Some("/status"),
        "/openapi.json" => Some("/openapi.json"),
        "/api/versions" => Some("/api/versions"),
        // For a collector on this machine; strangers learn nothing of what runs here.
        "/metrics" if is_from_here => Some("/metrics"),
        "/docs" => Some("/docs"),
        path if path.starts_with("/docs/") => Some("/docs"),
        _ => None,
    }
}

async fn own(gateway: &Gateway, route: &str, path: &str, asked: &HeaderMap) -> Response<Body> {
    match route {
        "/health" => health::of_all(gateway).await,
        "/health/ready" => health::ready(gateway).await,
        "/health/live" => health::live(),
        "/status" => status::page(gateway).await,
        "/openapi.json" => reference::document(&gateway.table(), asked).await,
        "/api/versions" => reference::versions(&gateway.table()),
        "/metrics" => Response::new(Body::from(telemetry::render().await)),
        _ => reference::page(path),
    }
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

/// At most 64 letters as a header's value, by way of no string: each request has several.
pub(crate) fn value(letters: fmt::Arguments<'_>) -> Option<HeaderValue> {
    let mut room = [0; 64];
    let mut rest = &mut room[..];
    rest.write_fmt(letters).ok()?;
    let unused = rest.len();
    HeaderValue::from_bytes(&room[..room.len() - unused]).ok()
}

fn written(id: Uuid) -> HeaderValue {
    let mut room = Uuid::encode_buffer();
    let text = id.hyphenated().encode_lower(&mut room);
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
