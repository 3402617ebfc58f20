//! A plain HTTP client for tests: `app.post("/api/v1/orders").token(&token).json(&body).send().await`.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::Full;
use quenty_platform::client::Transport;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

const TIMEOUT: Duration = Duration::from_secs(30);

/// A request being built.
#[must_use = "a request that is not sent does nothing"]
pub struct Call {
    transport: Transport,
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Call {
    pub fn new(transport: Transport, method: Method, url: String) -> Self {
        Self { transport, method, url, headers: HeaderMap::new(), body: Bytes::new() }
    }
    pub fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers
            .insert(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header value"));
        self
    }
    pub fn idempotency_key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }
    pub fn json(self, body: &impl Serialize) -> Self {
        let bytes = serde_json::to_vec(body).expect("the body is JSON");
        self.raw("application/json", bytes)
    }
    pub fn raw(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(content_type).expect("a media type"));
        self
    }
    /// Sends it and reads the whole answer; panics when there is none.
    pub async fn send(self) -> Answer {
        self.try_send().await.expect("the server answers")
    }
    /// As [`Call::send`], for tests in which the server may be away.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn try_send(self) -> anyhow::Result<Answer> {
        let mut request = Request::builder().method(self.method).uri(self.url).body(Full::new(self.body))?;
        *request.headers_mut() = self.headers;
        let (parts, body) = self.transport.send(request, TIMEOUT).await?.into_parts();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }
}

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
    /// The body as JSON; panics, showing it, when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {:?}", self.text()))
    }
    #[must_use]
    pub fn read<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {:?}", self.text()))
    }
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
    /// The problem's stable code; empty when this is no problem document.
    #[must_use]
    pub fn code(&self) -> String {
        serde_json::from_slice::<Value>(&self.body)
            .ok()
            .and_then(|body| body["code"].as_str().map(str::to_owned))
            .unwrap_or_default()
    }
    /// Panics, showing the answer, unless it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status(), status, "{}", self.text());
        self
    }
    /// Panics unless this is a problem document with this status and code.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status(), self.code().as_str()), (status, code), "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        self
    }
}
