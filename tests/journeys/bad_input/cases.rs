//! One request that does not fit, and what it has to be told.

use std::fmt;

use http::Method;
use quenty_testkit::http::Answer;
use serde_json::Value;

use crate::harness::Client;

pub enum Body {
    None,
    Json(Vec<u8>),
    Of(&'static str, &'static str),
}

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Json(bytes) => f.write_str(&String::from_utf8_lossy(bytes)),
            Self::Of(kind, text) => write!(f, "{kind} {text}"),
        }
    }
}

pub struct Case {
    pub what: String,
    pub method: Method,
    pub path: String,
    pub body: Body,
    header: Option<(&'static str, String)>,
    /// Who sends it, if not the merchant.
    client: Option<Client>,
    pub status: u16,
    /// Empty for an answer that is none of a problem: what looks odd and fits all the same.
    pub code: &'static str,
}

impl Case {
    pub fn new(
        what: impl Into<String>,
        method: Method,
        path: impl Into<String>,
        status: u16,
        code: &'static str,
    ) -> Self {
        let (what, path) = (what.into(), path.into());
        Self { what, method, path, body: Body::None, header: None, client: None, status, code }
    }

    pub fn get(path: impl Into<String>, status: u16, code: &'static str) -> Self {
        Self::new("a read", Method::GET, path, status, code)
    }

    pub fn post(path: impl Into<String>, body: &Value, status: u16, code: &'static str) -> Self {
        Self::new("a change", Method::POST, path, status, code)
            .body(Body::Json(body.to_string().into_bytes()))
    }

    pub fn patch(path: impl Into<String>, body: &Value, status: u16, code: &'static str) -> Self {
        Self { method: Method::PATCH, ..Self::post(path, body, status, code) }
    }

    #[must_use]
    pub fn body(self, body: Body) -> Self {
        Self { body, ..self }
    }

    #[must_use]
    pub fn header(self, name: &'static str, value: impl Into<String>) -> Self {
        Self { header: Some((name, value.into())), ..self }
    }

    #[must_use]
    pub fn by(self, client: &Client) -> Self {
        Self { client: Some(client.clone()), ..self }
    }

    pub async fn send(&self, usual: &Client) -> Answer {
        let mut call = self.client.as_ref().unwrap_or(usual).call(self.method.clone(), &self.path);
        match &self.body {
            Body::None => {}
            Body::Json(bytes) => call = call.raw("application/json", bytes.clone()),
            Body::Of(kind, text) => call = call.raw(kind, *text),
        }
        if let Some((name, value)) = &self.header {
            call = call.header(name, value);
        }
        call.send().await
    }
}
