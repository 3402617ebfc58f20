//! Problem documents (RFC 9457): every failure of every process looks like this.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use quenty_kernel::{Failure, Kind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::trace::TraceParent;

/// A failure, told so that a program and a person can act on it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A URI that names the kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "https://quenty.dev/problems/INSUFFICIENT_STOCK")]
    pub kind: String,
    #[schema(example = "Conflict with the current state")]
    pub title: String,
    #[schema(example = 409)]
    pub status: u16,
    /// What happened and what to do about it.
    pub detail: String,
    /// The path of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Stable, for programs.
    #[schema(example = "INSUFFICIENT_STOCK")]
    pub code: String,
    /// Names the log lines and spans of this request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// One entry for each bad field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemField>,
    #[serde(flatten)]
    #[schema(ignore)]
    pub extensions: Map<String, Value>,
}

/// One bad field of a request.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProblemField {
    /// JSON Pointer (RFC 6901) into the request body.
    #[schema(example = "/lines/0/quantity")]
    pub pointer: String,
    pub code: String,
    pub detail: String,
}

impl From<&Failure> for Problem {
    fn from(failure: &Failure) -> Self {
        Self {
            kind: format!("https://quenty.dev/problems/{}", failure.code),
            title: failure.kind.title().to_owned(),
            status: failure.kind.status(),
            detail: failure.detail.clone(),
            instance: None,
            code: failure.code.to_owned(),
            trace_id: None,
            errors: failure
                .errors
                .iter()
                .map(|e| ProblemField {
                    pointer: e.pointer.clone(),
                    code: e.code.to_owned(),
                    detail: e.detail.clone(),
                })
                .collect(),
            extensions: failure.extensions.clone(),
        }
    }
}

/// Carries the failure to the edge, which adds `instance` and `trace_id` and writes the body.
#[derive(Clone)]
pub struct Told(pub Failure);

/// The response of a failure; [`finish`] completes it at the edge.
#[must_use]
pub fn response(failure: &Failure) -> Response {
    let mut response = write(&Problem::from(failure), failure);
    response.extensions_mut().insert(Told(failure.clone()));
    response
}

/// Adds what only the edge knows: the path and the trace.
#[must_use]
pub fn finish(response: Response, path: &str, trace: TraceParent) -> Response {
    let Some(Told(failure)) = response.extensions().get::<Told>().cloned() else { return response };
    let problem = Problem {
        instance: Some(path.to_owned()),
        trace_id: Some(trace.trace_id()),
        ..Problem::from(&failure)
    };
    let mut finished = write(&problem, &failure);
    let (mut kept, _) = response.into_parts();
    for (name, value) in finished.headers() {
        kept.headers.insert(name.clone(), value.clone());
    }
    kept.headers.remove(header::CONTENT_LENGTH);
    *finished.headers_mut() = kept.headers;
    finished
}

fn write(problem: &Problem, failure: &Failure) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::to_vec(problem).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if let Some(seconds) = failure.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if failure.kind == Kind::Unauthenticated {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}
