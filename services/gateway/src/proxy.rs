//! The proxy path: look up, check, forward.

use std::{hash::BuildHasher, sync::Arc};

use axum::body::{Body, Bytes};
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    header::{self, HeaderName, HeaderValue},
    http::uri::PathAndQuery,
};
use quenty_kernel::{Failure, Kind};
use quenty_platform::http::{REQUEST_ID, UPLOAD_TIMEOUT};

use crate::{
    Gateway,
    bodies::{Content, Outgoing},
    client_address::FORWARDED_FOR,
    edge::{TRACEPARENT, Visit, method_not_allowed, value},
    exchange::Exchange,
    identity,
    limits::{Class, Principal},
    table::{Found, Operation},
};

pub(crate) async fn forward(
    gateway: &Gateway,
    request: Request<Body>,
    visit: &mut Visit,
) -> Result<Response<Body>, Failure> {
    let table = gateway.table();
    let (method, path) = (request.method(), request.uri().path());
    if gateway.0.cors.is_preflight(method, request.headers()) {
        let methods = table.methods(path);
        if !methods.is_empty() {
            return gateway.0.cors.preflight(&methods, request.headers());
        }
    }
    let found = table.find(method, path);
    if !matches!(found, Found::Operation(_)) {
        let stranger = Principal::at(visit.client.address);
        gateway.0.limits.take(Class::Public, &stranger, 1, &mut visit.told).await?;
    }
    let operation = match found {
        Found::Operation(operation) => operation,
        Found::OtherMethods(methods) => return Ok(method_not_allowed(&methods)),
        Found::Nothing => return Err(nowhere(table.complete)),
    };
    visit.timings = Arc::clone(&operation.timings);
    visit.told.extend(operation.retirement.iter().cloned());
    let request = admit(gateway, operation, request, visit).await?;
    // What an operation takes for a file, and not what a client calls one.
    let is_file = !request.parts.method.is_safe() && matches!(request.content, Content::Streaming(_));
    let patience = if is_file { UPLOAD_TIMEOUT } else { gateway.0.upstream_timeout };
    let exchange = Exchange { gateway, operation, is_file, patience, caller: visit.number };
    let mut response = gateway.0.cache.answer(&exchange, visit.caller.as_deref(), request).await?;
    strip(response.headers_mut());
    Ok(response)
}

fn nowhere(all_services_known: bool) -> Failure {
    if all_services_known {
        let detail = "there is no such path; /openapi.json lists them, /docs shows them";
        Failure::new(Kind::NotFound, "NO_SUCH_ROUTE", detail)
    } else {
        let detail = "not every service has started yet; try again";
        Failure::new(Kind::Unavailable, "STARTING", detail).retry_after(1)
    }
}

/// Whether the caller may, has not asked for too much already, and sends what the operation takes.
async fn admit(
    gateway: &Gateway,
    operation: &Operation,
    mut request: Request<Body>,
    visit: &mut Visit,
) -> Result<Outgoing, Failure> {
    let limits = &gateway.0.limits;
    let stranger = Principal::at(visit.client.address);
    let caller = match identity::check(gateway, &operation.access, request.headers_mut(), visit).await {
        Ok(caller) => caller,
        Err(failure) => {
            limits.take(Class::Public, &stranger, 1, &mut visit.told).await?;
            return Err(failure);
        }
    };
    let who = caller.as_deref().map_or(stranger, Principal::of);
    visit.caller = caller;
    visit.number = gateway.0.numbers.hash_one(&who).to_le_bytes()[0];
    limits.take(operation.class, &who, operation.cost, &mut visit.told).await?;
    identity::permit(&operation.access, visit.caller.as_deref())?;
    operation.body.read(&gateway.0.bounds, request).await
}

/// What goes inward: the path alone, our own word on who called, the trace.
pub(crate) fn prepare(request: &mut Request<Body>, visit: &Visit) {
    let path = request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    *request.uri_mut() = path.into();
    *request.version_mut() = hyper::Version::HTTP_11;
    let headers = request.headers_mut();
    strip(headers);
    headers.remove(header::HOST);
    for (name, value) in [
        (FORWARDED_FOR, value(format_args!("{}", visit.client.address))),
        (TRACEPARENT, value(format_args!("{}", visit.trace))),
    ] {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
    headers.insert(REQUEST_ID, visit.request_id.clone());
}

fn strip(headers: &mut HeaderMap) {
    let named = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok());
    let claimed = headers.keys().filter(|name| is_ours_to_say(name)).cloned();
    let unwanted: Vec<HeaderName> = named.chain(claimed).collect();
    for name in unwanted {
        headers.remove(name);
    }
}

/// Hop-by-hop (RFC 9110, 7.6.1), and where a client is and who it is: nobody's word but the token's and ours.
fn is_ours_to_say(name: &HeaderName) -> bool {
    let name = name.as_str();
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "forwarded"
            | "x-real-ip"
    ) || ["x-forwarded-", "x-user-", "x-company-"].iter().any(|prefix| name.starts_with(prefix))
}

/// A small JSON answer of the gateway itself.
pub(crate) fn json(status: StatusCode, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
