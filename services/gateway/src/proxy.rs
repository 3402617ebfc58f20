//! The proxy path: look up, check, forward.

use std::net::SocketAddr;

use axum::body::Body;
use hyper::{
    HeaderMap, Request, Response, StatusCode, Uri,
    header::{self, HeaderName, HeaderValue},
};
use quenty_kernel::{Failure, Kind};
use quenty_platform::{
    http::{REQUEST_ID, UPLOAD_TIMEOUT, is_upload},
    trace::TraceParent,
};

use crate::{
    Gateway,
    edge::{TRACEPARENT, method_not_allowed},
    identity,
    table::Found,
};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Hop-by-hop (RFC 9110, 7.6.1), and what only we may say of a client.
const NOT_FORWARDED: [&str; 10] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-real-ip",
    "forwarded",
];
/// Where a client is and who it is: nobody's word but the token's and ours.
const NOT_FORWARDED_PREFIXES: [&str; 3] = ["x-forwarded-", "x-user-", "x-company-"];

/// The route's template and what came of it.
pub(crate) async fn forward(
    gateway: &Gateway,
    request: Request<Body>,
) -> (String, Result<Response<Body>, Failure>) {
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

/// What goes inward: the path alone, our own word on who called, the trace.
pub(crate) fn prepare(request: &mut Request<Body>, peer: SocketAddr, trace: TraceParent, request_id: &str) {
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
        (REQUEST_ID, request_id.to_owned()),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
}

fn strip(headers: &mut HeaderMap) {
    let named = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok());
    let claimed = headers
        .keys()
        .filter(|name| NOT_FORWARDED_PREFIXES.iter().any(|prefix| name.as_str().starts_with(prefix)))
        .cloned();
    let unwanted: Vec<HeaderName> = named.chain(claimed).collect();
    for name in unwanted {
        headers.remove(name);
    }
    for name in NOT_FORWARDED {
        headers.remove(name);
    }
}

/// A small JSON answer of the gateway itself.
pub(crate) fn json(status: StatusCode, body: &serde_json::Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
