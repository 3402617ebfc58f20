//! What went wrong, in the one closed set that maps to HTTP: see design/conventions.md, "HTTP".

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

/// The class of a failure; each has exactly one HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Malformed,
    Unauthenticated,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    Timeout,
    Conflict,
    Stale,
    TooLarge,
    UnsupportedMediaType,
    Invalid,
    TooManyRequests,
    Internal,
    BadGateway,
    Unavailable,
    GatewayTimeout,
}

impl Kind {
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Timeout => 408,
            Self::Conflict => 409,
            Self::Stale => 412,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::Invalid => 422,
            Self::TooManyRequests => 429,
            Self::Internal => 500,
            Self::BadGateway => 502,
            Self::Unavailable => 503,
            Self::GatewayTimeout => 504,
        }
    }

    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Malformed => "Malformed request",
            Self::Unauthenticated => "Not authenticated",
            Self::Forbidden => "Not permitted",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::Timeout => "Request took too long",
            Self::Conflict => "Conflict with the current state",
            Self::Stale => "The resource has changed",
            Self::TooLarge => "Too large",
            Self::UnsupportedMediaType => "Unsupported media type",
            Self::Invalid => "Invalid request",
            Self::TooManyRequests => "Too many requests",
            Self::Internal => "Internal error",
            Self::BadGateway => "Bad answer from upstream",
            Self::Unavailable => "Temporarily unavailable",
            Self::GatewayTimeout => "Upstream took too long",
        }
    }
}

/// One bad field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// JSON Pointer (RFC 6901) into the request body.
    pub pointer: String,
    pub code: &'static str,
    pub detail: String,
}

/// A failure that a caller can act on; becomes an RFC 9457 problem document at the edge.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct Failure {
    pub kind: Kind,
    /// Stable, `UPPER_SNAKE`.
    pub code: &'static str,
    /// What the caller can do about it.
    pub detail: String,
    pub errors: Vec<FieldError>,
    /// Seconds, sent as `Retry-After`.
    pub retry_after: Option<u32>,
    /// Extension members of the problem document.
    pub extensions: Map<String, Value>,
}

impl Failure {
    // Cold, so that the way of what succeeds holds none of it: most is never run, and all would be fetched.
    #[cold]
    #[must_use]
    pub fn new(kind: Kind, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
            extensions: Map::new(),
        }
    }

    /// 404 for what does not exist or belongs to another company: the caller cannot tell which.
    #[cold]
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(Kind::NotFound, "NOT_FOUND", format!("there is no such {what}"))
    }

    #[cold]
    #[must_use]
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, code, detail)
    }

    /// 422 about one field; `pointer` is a JSON Pointer such as `/lines/0/quantity`.
    #[cold]
    #[must_use]
    pub fn invalid(code: &'static str, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let error = FieldError { pointer: pointer.into(), code, detail: detail.clone() };
        Self { errors: vec![error], ..Self::new(Kind::Invalid, code, detail) }
    }

    /// 422 about the query, which has no fields to point at.
    #[cold]
    #[must_use]
    pub fn invalid_query(why: impl fmt::Display) -> Self {
        Self::new(Kind::Invalid, "INVALID_QUERY", format!("the query does not fit: {why}"))
    }

    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Adds an extension member to the problem document.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        if let Ok(value) = serde_json::to_value(value) {
            self.extensions.insert(name.to_owned(), value);
        }
        self
    }
}
