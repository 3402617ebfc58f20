//! The proxy path: look up, check, forward, and tell every failure as a problem document.

use std::{net::SocketAddr, time::Instant};

use axum::{body::Body, response::IntoResponse};
use hyper::{
    HeaderMap, Request, Response, StatusCode, Uri,
    header::{self, HeaderName, HeaderValue},
};
use quenty_kernel::{Failure, Kind, id::new_uuid};
use quenty_platform::{
    Error,
    http::{REQUEST_ID, UPLOAD_TIMEOUT, is_upload, problem},
    trace::TraceParent,
};

use crate::{Gateway, identity, table::Found};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Hop-by-hop (RFC 9110, 7.6.1), and what only we may say of a client.
const NOT_FORWARDED: [&str; 11] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
    "x-real-ip",
    "forwarded",
];

pub(crate) async fn forward(
    gateway: &Gateway,
    mut request: Request<Body>,
    peer: SocketAddr,
) -> Response<Body> {
    let started = Instant::now();
    let trace = text(request.headers(), &TRACEPARENT)
        .and_then(TraceParent::parse)
        .map_or_else(TraceParent::root, TraceParent::child);
    let request_id = text(request.headers(), &REQUEST_ID)
        .and_then(|id| uuid::Uuid::try_parse(id).ok())
        .unwrap_or_else(new_uuid);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    prepare(&mut request, peer, trace, request_id);

    let (template, outcome) = route(gateway, request).await;
    let mut response = outcome.unwrap_or_else(|failure| {
        problem::finish(Error::from(failure).into_response(), &path, &trace.trace_id())
    });
    if let Ok(value) = HeaderValue::try_from(request_id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let (status, seconds) = (response.status().as_u16(), started.elapsed().as_secs_f64());
    metrics::histogram!("quenty_http_request_seconds", "service" => "gateway", "route" => template.clone(), "method" => method.to_string(), "status" => status.to_string()).record(seconds);
    tracing::info!(%method, route = template, status, milliseconds = seconds * 1e3, trace_id = trace.trace_id(), %request_id, "request");
    response
}

async fn route(gateway: &Gateway, request: Request<Body>) -> (String, Result<Response<Body>, Failure>) {
    let table = gateway.table();
    let (upstream, template, access) = match table.find(request.method(), request.uri().path()) {
        Found::Operation { upstream, template, access } => (upstream, template.to_owned(), access),
        Found::OtherMethods(methods) => return ("unmatched".to_owned(), Ok(method_not_allowed(&methods))),
        Found::Nothing if !table.complete => {
            let failure =
                Failure::new(Kind::Unavailable, "STARTING", "not every service has started yet; try again")
                    .retry_after(1);
            return ("unmatched".to_owned(), Err(failure));
        }
        Found::Nothing => {
            return (
                "unmatched".to_owned(),
                Err(Failure::new(
                    Kind::NotFound,
                    "NO_SUCH_ROUTE",
                    "there is no such path; /openapi.json lists them, /docs shows them",
                )),
            );
        }
    };
    if let Err(failure) = identity::check(&gateway.0.verifier, access, request.headers()).await {
        return (template, Err(failure));
    }
    let upstream = &gateway.0.upstreams[upstream];
    let patience = if is_upload(request.headers()) { UPLOAD_TIMEOUT } else { gateway.0.upstream_timeout };
    let exchange = tokio::time::timeout(patience, upstream.send(&gateway.0.client, request)).await;
    let outcome = match exchange {
        Ok(Ok(mut response)) => {
            strip(response.headers_mut());
            Ok(response)
        }
        Ok(Err(error)) => {
            tracing::warn!(upstream = upstream.name, %error, "a service cannot be reached");
            Err(Failure::new(
                Kind::Unavailable,
                "UPSTREAM_UNAVAILABLE",
                format!("the {} service cannot be reached; try again", upstream.name),
            )
            .retry_after(1))
        }
        Err(_) => Err(Failure::new(
            Kind::GatewayTimeout,
            "UPSTREAM_TIMEOUT",
            format!(
                "the {} service took too long; with an Idempotency-Key it is safe to repeat",
                upstream.name
            ),
        )),
    };
    (template, outcome)
}

fn method_not_allowed(methods: &[&str]) -> Response<Body> {
    let failure = Failure::new(
        Kind::MethodNotAllowed,
        "METHOD_NOT_ALLOWED",
        format!("this path takes {}", methods.join(", ")),
    );
    let mut response = problem::response(&failure);
    if let Ok(allow) = HeaderValue::try_from(methods.join(", ")) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

/// What goes inward: the path alone, our own word on who called, the trace.
fn prepare(request: &mut Request<Body>, peer: SocketAddr, trace: TraceParent, request_id: uuid::Uuid) {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).parse::<Uri>();
    if let Ok(path) = path {
        *request.uri_mut() = path;
    }
    *request.version_mut() = hyper::Version::HTTP_11;
    let headers = request.headers_mut();
    strip(headers);
    headers.remove(header::HOST);
    for (name, value) in [
        (FORWARDED_FOR, peer.ip().to_string()),
        (TRACEPARENT, trace.to_string()),
        (REQUEST_ID, request_id.to_string()),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
}

fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in NOT_FORWARDED {
        headers.remove(name);
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// A small JSON answer of the gateway itself.
pub(crate) fn json(status: StatusCode, body: &serde_json::Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
