//! The edge of a service, around every route: request id, trace, body limit, timeout, the body kept so that
//! a transaction that PostgreSQL asks to run again is run again, metrics, the access log.

use std::time::{Duration, Instant};

use axum::{
    body::{Body, Bytes},
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use quenty_kernel::{Failure, Kind, id::new_uuid};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Call, UPLOAD_TIMEOUT, is_upload, problem};
use crate::{
    App, Error, Result,
    error::{RERUNS, timed_out},
    span::{Span, SpanKind},
    time_left,
    trace::{self, TraceParent},
};

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The code of a path that no operation has.
const NO_SUCH_ROUTE: &str = "NO_SUCH_ROUTE";
const MAX_KEY_LENGTH: usize = 128;
/// Shorter than a request may take, so that a slow sender learns that it was slow.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// As nginx writes it: whoever asked was gone before there was an answer.
const CALLER_GONE: u16 = 499;

/// A request, counted and logged when it is dropped: one that nobody waits for is given up by hyper, wherever it is.
struct Counted {
    service: &'static str,
    method: Method,
    route: String,
    span: tracing::Span,
    started: Instant,
    /// Of the answer.
    status: u16,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let (status, seconds) = (self.status, self.started.elapsed().as_secs_f64());
        metrics::histogram!("quenty_http_request_seconds", "service" => self.service, "route" => self.route.clone(), "method" => method_label(&self.method), "status" => status.to_string())
            .record(seconds);
        self.span.in_scope(|| tracing::debug!(status, milliseconds = seconds * 1e3, "answered"));
    }
}

/// On a response: PostgreSQL asked to run the transaction again.
#[derive(Debug, Clone, Copy)]
pub struct RunAgain;

/// On a response: the database could not be reached.
#[derive(Debug, Clone, Copy)]
pub struct DatabaseAway;

pub(super) async fn not_found() -> Error {
    Failure::new(Kind::NotFound, NO_SUCH_ROUTE, "there is no such path; /openapi.json lists them").into()
}

pub(super) async fn method_not_allowed() -> Error {
    Failure::new(
        Kind::MethodNotAllowed,
        "METHOD_NOT_ALLOWED",
        "this path does not take this method; `Allow` lists those it takes",
    )
    .into()
}

pub(super) async fn edge(State(app): State<App>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let sent = header_text(request.headers().get(TRACEPARENT));
    let mut seen = Span::joining(app.name(), SpanKind::Server, sent);
    let trace = seen.context();
    let request_id = header_text(request.headers().get(REQUEST_ID))
        .and_then(|text| Uuid::try_parse(text).ok())
        .unwrap_or_else(new_uuid);
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    seen.serves(&method, &route);
    let span = tracing::info_span!("request", service = app.name(), %method, route, trace_id = trace.trace_id(), %request_id);
    let mut counted =
        Counted { service: app.name(), method, route, span: span.clone(), started, status: CALLER_GONE };

    let longest = if !request.method().is_safe() && is_upload(request.headers()) {
        UPLOAD_TIMEOUT
    } else {
        Duration::from_millis(app.settings().parse("request_timeout_ms").unwrap_or(15_000))
    };
    let left = time_left::told(request.headers(), longest);
    let work = time_left::within(left, run(&app, request, next, trace, request_id));
    let guarded = std::panic::AssertUnwindSafe(work).catch_unwind();
    let response = match trace::within(trace, span.clone(), guarded).await {
        Ok(Ok(Ok(response))) => response,
        Ok(Ok(Err(error))) => error.into_response(),
        Ok(Err(_)) => Error::from(timed_out()).into_response(),
        Err(_) => span.in_scope(|| Error::internal("a handler panicked").into_response()),
    };
    let mut response = problem::finish(response, &path, trace);
    if let Ok(value) = HeaderValue::try_from(request_id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    if let Ok(value) = HeaderValue::try_from(trace.to_string()) {
        response.headers_mut().insert(TRACEPARENT, value);
    }
    counted.status = response.status().as_u16();
    seen.answered(counted.status, 500);
    response
}

/// Clients may invent methods; each would be a time series for ever.
#[must_use]
pub fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

fn header_text(value: Option<&HeaderValue>) -> Option<&str> {
    value.and_then(|v| v.to_str().ok())
}

async fn run(
    app: &App,
    request: Request,
    next: Next,
    trace: TraceParent,
    request_id: Uuid,
) -> Result<Response> {
    let (mut parts, body) = request.into_parts();
    // JSON is kept whole (it is limited); files stream through.
    if is_upload(&parts.headers) {
        parts.extensions.insert(call(&parts, trace, request_id, &[])?);
        return Ok(next.run(Request::from_parts(parts, body)).await);
    }
    let body = read(app, body).await?;
    parts.extensions.insert(call(&parts, trace, request_id, &body)?);
    let (mut runs, mut lost_replica) = (0, false);
    loop {
        let request = Request::from_parts(parts.clone(), Body::from(body.clone()));
        let response = next.clone().run(request).await;
        let asked_to = response.extensions().get::<RunAgain>().is_some() && runs < RERUNS;
        if !asked_to {
            let is_away = parts.method.is_safe() && response.extensions().get::<DatabaseAway>().is_some();
            if !is_away || lost_replica || !app.leave_replica() {
                return Ok(response);
            }
            // A read that met a replica on its way down is the primary's, once.
            lost_replica = true;
        }
        runs += 1;
        metrics::counter!("quenty_transactions_rerun_total", "service" => app.name()).increment(1);
    }
}

async fn read(app: &App, body: Body) -> Result<Bytes> {
    let limit: usize = app.settings().parse("max_body_bytes").unwrap_or(1 << 20);
    let collected = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, limit).collect()).await;
    let collected = collected.map_err(|_| {
        Failure::new(Kind::Timeout, "BODY_TOO_SLOW", format!("a body must arrive within {BODY_TIMEOUT:?}"))
    })?;
    match collected {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => {
            Err(Failure::new(Kind::TooLarge, "BODY_TOO_LARGE", format!("a body may have {limit} bytes"))
                .into())
        }
        Err(_) => Err(Failure::new(Kind::Malformed, "UNREADABLE_BODY", "the body broke off").into()),
    }
}

fn call(parts: &Parts, trace: TraceParent, request_id: Uuid, body: &[u8]) -> Result<Call> {
    let idempotency_key = match parts.headers.get(IDEMPOTENCY_KEY) {
        None => None,
        Some(value) => Some(
            header_text(Some(value))
                .map(|text| text.trim_matches('"'))
                .filter(|text| !text.is_empty() && text.len() <= MAX_KEY_LENGTH)
                .ok_or_else(|| {
                    Failure::new(
                        Kind::Malformed,
                        "MALFORMED_IDEMPOTENCY_KEY",
                        format!("an Idempotency-Key has 1 to {MAX_KEY_LENGTH} visible characters"),
                    )
                })?
                .to_owned(),
        ),
    };
    let mut operation = format!("{} {}", parts.method, parts.uri.path());
    if let Some(query) = parts.uri.query() {
        // As a digest: it may be longer than an index entry.
        operation = format!("{operation}?{:x}", Sha256::digest(query));
    }
    Ok(Call { trace, request_id, operation, idempotency_key, body_hash: Sha256::digest(body).into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invented_methods_share_one_label() {
        assert_eq!(method_label(&Method::PATCH), "PATCH");
        for method in ["BREW", "get", "TRACE"] {
            assert_eq!(method_label(&Method::from_bytes(method.as_bytes()).unwrap()), "other");
        }
    }
}
