//! What a handler that writes gives back: kept under the request's idempotency key as it commits.

use std::collections::BTreeMap;

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::Value;

use crate::Result;

/// A successful answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Option<Value>,
    /// The id of what was made, when the body shows a secret that must not be stored.
    pub(crate) secret_of: Option<String>,
}

impl Answer {
    fn new(status: StatusCode, body: Option<Value>) -> Self {
        Self { status, headers: BTreeMap::new(), body, secret_of: None }
    }

    /// 200
    ///
    /// # Errors
    /// When the body cannot be written as JSON.
    pub fn ok(body: &impl Serialize) -> Result<Self> {
        Ok(Self::new(StatusCode::OK, Some(serde_json::to_value(body)?)))
    }

    /// 201 with `Location`.
    ///
    /// # Errors
    /// When the body cannot be written as JSON.
    pub fn created(location: impl Into<String>, body: &impl Serialize) -> Result<Self> {
        Ok(Self::new(StatusCode::CREATED, Some(serde_json::to_value(body)?))
            .header(header::LOCATION, location))
    }

    /// 202 with `Location`: the work goes on as a task.
    ///
    /// # Errors
    /// When the body cannot be written as JSON.
    pub fn accepted(location: impl Into<String>, body: &impl Serialize) -> Result<Self> {
        Ok(Self::new(StatusCode::ACCEPTED, Some(serde_json::to_value(body)?))
            .header(header::LOCATION, location))
    }

    /// 204
    #[must_use]
    pub fn no_content() -> Self {
        Self::new(StatusCode::NO_CONTENT, None)
    }

    /// The version of the resource, for `If-Match`.
    #[must_use]
    pub fn version(self, version: i64) -> Self {
        self.header(header::ETAG, format!("\"{version}\""))
    }

    /// Marks an answer that shows a secret of `id`: a repeat of the request gets 409 with the id instead.
    #[must_use]
    pub fn secret_of(self, id: impl std::fmt::Display) -> Self {
        Self { secret_of: Some(id.to_string()), ..self }
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.insert(name.as_str().to_owned(), value.into());
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = match self.body {
            Some(body) => (self.status, axum::Json(body)).into_response(),
            None => self.status.into_response(),
        };
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
