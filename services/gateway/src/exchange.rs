//! Sending a request inward, again if need be and if that is safe, within the time that its client is promised.
//!
//! Sent again is what changes nothing or carries an `Idempotency-Key`, when its service cannot be reached or says that it
//! cannot answer now; and anything of which nothing was sent. Never once the answer has begun to flow outward. The keys
//! of strangers are nobody's: services remember answers for callers whom they know.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::body::Body;
use http_body_util::{BodyExt, Limited};
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    header::{self, HeaderName, HeaderValue},
    http::request::Parts,
};
use quenty_kernel::{Failure, Kind};
use quenty_platform::{
    http::problem::Problem,
    otlp,
    span::{Span, SpanKind},
    time_left::TIME_LEFT,
    trace::TraceParent,
};

use crate::{
    Gateway,
    bodies::{self, Content, Outgoing},
    edge::TRACEPARENT,
    table::{Access, Operation},
    upstream::{Unreachable, Upstream, broken_off, cannot_now},
};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const MOST_TRIES: u32 = 3;
/// A service that has taken long to say that it cannot would only take long again. One whose process died says nothing of
/// the others.
const AGAIN_WITHIN: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LARGEST_PROBLEM: usize = 64 * 1024;

/// One request to a service, with the time by which it is answered.
pub(crate) struct Exchange<'a> {
    pub(crate) gateway: &'a Gateway,
    pub(crate) operation: &'a Arc<Operation>,
    /// Whether it takes as long as its sender.
    pub(crate) is_file: bool,
    pub(crate) patience: Duration,
    /// By which who asks is counted.
    pub(crate) caller: u8,
}

impl Exchange<'_> {
    /// # Errors
    /// 429 when its caller keeps it busy, 502 when it breaks off a change, 503 when it cannot be reached or has too much
    /// to do, 504 when it takes too long.
    pub(crate) async fn run(&self, request: Outgoing) -> Result<Response<Body>, Failure> {
        let upstream = &self.gateway.0.upstreams[self.operation.upstream];
        let method = request.parts.method.clone();
        let _place = self.gateway.0.gates[self.operation.upstream].enter(self.is_file, self.caller)?;
        let deadline = Instant::now() + self.patience;
        self.until_answered(upstream, request, deadline).await.map_err(|error| match error {
            Unreachable::TooSlow => self.too_slow(),
            Unreachable::Unfinished => bodies::broken_off(),
            Unreachable::BrokenOff(why) if !method.is_safe() => {
                tracing::warn!(upstream = upstream.name, why, "a service broke off a change");
                broken_off(&method)
            }
            error => unreachable(upstream.name, &error),
        })
    }

    pub(crate) fn too_slow(&self) -> Failure {
        let name = self.gateway.0.upstreams[self.operation.upstream].name;
        let detail =
            format!("the {name} service took too long; with an Idempotency-Key it is safe to repeat");
        Failure::new(Kind::GatewayTimeout, "UPSTREAM_TIMEOUT", detail)
    }

    async fn until_answered(
        &self,
        upstream: &Upstream,
        request: Outgoing,
        deadline: Instant,
    ) -> Result<Response<Body>, Unreachable> {
        let Outgoing { mut parts, content } = request;
        let Content::Whole(body) = content else {
            tell_time_left(&mut parts.headers, deadline);
            return self.send(upstream, parts, content, &mut Vec::new(), deadline).await;
        };
        let budget = &self.gateway.0.budgets[self.operation.upstream];
        let gate = &self.gateway.0.gates[self.operation.upstream];
        budget.earn();
        let (begun, mut tries, mut failed) = (Instant::now(), 1, Vec::new());
        loop {
            tell_time_left(&mut parts.headers, deadline);
            let whole = Content::Whole(body.clone());
            let this_try = gate.begin(&self.operation.usual, Instant::now());
            // A copy has no room for what is added to it, and what is sent gets more.
            let kept = parts.clone();
            let sent = std::mem::replace(&mut parts, kept);
            let outcome = self.send(upstream, sent, whole, &mut failed, deadline).await;
            this_try.end(&outcome, Instant::now());
            let outcome = match outcome {
                Ok(response)
                    if self.is_keyed(&parts.headers) && response.status() == StatusCode::CONFLICT =>
                {
                    match still_running(response, deadline).await {
                        Running::Wait(pause) => {
                            tokio::time::sleep(pause).await;
                            continue;
                        }
                        Running::Not(response) => Ok(response),
                    }
                }
                outcome => outcome,
            };
            let within = if outcome.is_ok() { AGAIN_WITHIN } else { self.patience };
            let is_early = begun.elapsed() < within.min(self.patience / 2);
            let is_repeatable = parts.method.is_safe() || self.is_keyed(&parts.headers);
            let may = is_early && tries < MOST_TRIES && may_be_sent_again(upstream, is_repeatable, &outcome);
            if !may || !budget.spend() {
                return outcome;
            }
            metrics::counter!("quenty_gateway_retries_total", "upstream" => upstream.name).increment(1);
            tokio::time::sleep(FIRST_PAUSE * tries.pow(2)).await;
            tries += 1;
        }
    }

    fn is_keyed(&self, headers: &HeaderMap) -> bool {
        self.operation.access != Access::Anyone && headers.contains_key(IDEMPOTENCY_KEY)
    }

    async fn send(
        &self,
        upstream: &Upstream,
        mut parts: Parts,
        content: Content,
        failed: &mut Vec<String>,
        deadline: Instant,
    ) -> Result<Response<Body>, Unreachable> {
        let mut seen = self.seen(upstream, &mut parts);
        let is_streaming = matches!(content, Content::Streaming(_));
        let request = Request::from(Outgoing { parts, content });
        let connector = &self.gateway.0.connector;
        let outcome = upstream.send(connector, request, is_streaming, failed, deadline).await;
        if let Some(seen) = &mut seen {
            match &outcome {
                Ok(response) => seen.answered(response.status().as_u16(), 400),
                Err(_) => seen.fail("unreachable"),
            }
        }
        outcome
    }

    /// A span for each try, which the service's own follows; none where the request's is not seen.
    fn seen(&self, upstream: &Upstream, parts: &mut Parts) -> Option<Span> {
        if !otlp::is_collecting() {
            return None;
        }
        let parent = TraceParent::parse(parts.headers.get(&TRACEPARENT)?.to_str().ok()?)?;
        let mut seen = Span::child_of(parent, "gateway", SpanKind::Client);
        if !seen.is_seen() {
            return None;
        }
        seen.asks(upstream.name, &parts.method, &self.operation.timings.route);
        parts.headers.insert(TRACEPARENT, HeaderValue::try_from(seen.context().to_string()).ok()?);
        Some(seen)
    }
}

fn tell_time_left(headers: &mut HeaderMap, deadline: Instant) {
    let left = deadline.saturating_duration_since(Instant::now()).as_millis();
    headers.insert(TIME_LEFT, HeaderValue::from(u64::try_from(left).unwrap_or(u64::MAX)));
}

fn may_be_sent_again(
    upstream: &Upstream,
    is_repeatable: bool,
    outcome: &Result<Response<Body>, Unreachable>,
) -> bool {
    match outcome {
        Ok(response) => {
            // A service that says when to come again means it; another process of it may know better.
            let is_deliberate = response.headers().contains_key(header::RETRY_AFTER);
            is_repeatable && cannot_now(response.status()) && (!is_deliberate || upstream.has_several())
        }
        Err(Unreachable::LeftAlone | Unreachable::TooSlow | Unreachable::Unfinished) => false,
        Err(error) => is_repeatable || error.is_unsent(),
    }
}

enum Running {
    /// The first request with this key still runs: its answer is there after that long.
    Wait(Duration),
    Not(Response<Body>),
}

/// Whether a conflict only says that the same request has not ended yet: the gateway waits in its client's place.
async fn still_running(response: Response<Body>, deadline: Instant) -> Running {
    let seconds =
        response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let pause = seconds.map(Duration::from_secs).filter(|pause| Instant::now() + *pause < deadline);
    let Some(pause) = pause else { return Running::Not(response) };
    let (parts, body) = response.into_parts();
    let Ok(body) = Limited::new(body, LARGEST_PROBLEM).collect().await else {
        return Running::Not(Response::from_parts(parts, Body::empty()));
    };
    let body = body.to_bytes();
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) if problem.code == "IDEMPOTENCY_IN_PROGRESS" => Running::Wait(pause),
        _ => Running::Not(Response::from_parts(parts, Body::from(body))),
    }
}

fn unreachable(name: &str, error: &Unreachable) -> Failure {
    tracing::warn!(upstream = name, %error, "a service cannot be reached");
    let detail = format!("the {name} service cannot be reached; try again");
    Failure::new(Kind::Unavailable, "UPSTREAM_UNAVAILABLE", detail).retry_after(1)
}
