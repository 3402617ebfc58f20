//! The public API as the demo's people use it: JSON over HTTP through the gateway, every write with an
//! `Idempotency-Key`, so that a repeated one changes nothing.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, bail};
use axum::{
    body::Body,
    http::{Method, Request, Response, Uri, header},
};
use bytes::Bytes;
use http_body_util::Full;
use quenty_kernel::id::new_uuid;
use quenty_platform::{
    client::{CallError, Transport},
    http::UPLOAD_TIMEOUT,
};
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::io::ReaderStream;

const TIMEOUT: Duration = Duration::from_secs(60);
/// For how long somebody who gets no answer, or is asked to come back, tries again; and when they are told about.
const PATIENCE: Duration = Duration::from_secs(120);
const QUIET: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);
/// Pieces of a file on their way out.
const PIECE_BYTES: usize = 64 << 10;

/// A client of one platform; holds no token.
#[derive(Clone)]
pub struct Api {
    transport: Transport,
    base: String,
}

/// A refusal, with its stable code.
#[derive(Debug)]
pub struct Refused {
    pub status: u16,
    pub code: String,
    pub detail: String,
}

/// Someone who is logged in.
#[derive(Clone)]
pub struct Session {
    api: Api,
    login: String,
    password: String,
    access: std::sync::Arc<tokio::sync::RwLock<String>>,
}

impl Api {
    pub fn new(base: &str) -> Self {
        Self { transport: Transport::default(), base: base.trim_end_matches('/').to_owned() }
    }

    fn url(&self, path: &str) -> Result<Uri> {
        match format!("{}{path}", self.base).parse::<Uri>() {
            Ok(url) if url.scheme().is_some() && url.authority().is_some() => Ok(url),
            _ => bail!("{} is no address like http://127.0.0.1:8000", self.base),
        }
    }

    /// Sends until the platform answers; a refusal is an answer.
    async fn send(
        &self,
        method: &Method,
        path: &str,
        token: Option<&str>,
        body: Option<(&str, Bytes)>,
    ) -> Result<Result<Bytes, Refused>> {
        let (key, url) = (new_uuid().to_string(), self.url(path)?);
        let attempt = async || {
            let mut request = Request::builder().method(method).uri(url.clone());
            if let Some(token) = token {
                request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
            }
            if method == Method::POST {
                request = request.header("idempotency-key", &key);
            }
            let (kind, bytes) = body.clone().unwrap_or(("application/json", Bytes::new()));
            let request = request.header(header::CONTENT_TYPE, kind).body(Full::new(bytes))?;
            Ok(self.transport.send(request, TIMEOUT).await?)
        };
        persist(&format!("{method} {path}"), PATIENCE, attempt).await
    }

    /// Streams a file as it is, however large; sent again under the same key when the connection breaks.
    async fn send_file(
        &self,
        path: &str,
        token: &str,
        kind: &str,
        file: &Path,
    ) -> Result<Result<Bytes, Refused>> {
        let (key, url) = (new_uuid().to_string(), self.url(path)?);
        let attempt = async || {
            let content = tokio::fs::File::open(file).await?;
            let request = Request::post(url.clone())
                .header(header::AUTHORIZATION, format!("Bearer {token}"))
                .header("idempotency-key", &key)
                .header(header::CONTENT_TYPE, kind)
                .header(header::CONTENT_LENGTH, content.metadata().await?.len())
                .body(Body::from_stream(ReaderStream::with_capacity(content, PIECE_BYTES)))?;
            Ok(self.transport.send(request, UPLOAD_TIMEOUT).await?)
        };
        persist(&format!("sending {}", file.display()), UPLOAD_TIMEOUT + PATIENCE, attempt).await
    }

    /// A call that needs no login.
    pub async fn post_open(&self, path: &str, body: &Value) -> Result<Value> {
        self.try_post_open(path, body).await?.map_err(|refused| refused.into_error("POST", path))
    }

    /// As [`Api::post_open`], where a refusal is an answer, too.
    pub async fn try_post_open(&self, path: &str, body: &Value) -> Result<Result<Value, Refused>> {
        let body = ("application/json", body.to_string().into());
        parsed(self.send(&Method::POST, path, None, Some(body)).await?)
    }

    pub async fn login(&self, login: &str, password: &str) -> Result<Session> {
        let session = Session {
            api: self.clone(),
            login: login.to_owned(),
            password: password.to_owned(),
            access: std::sync::Arc::default(),
        };
        session.renew().await?;
        Ok(session)
    }
}

/// Tries until there is an answer; a refusal is one, unless it may be gone in a moment.
async fn persist(
    what: &str,
    patience: Duration,
    attempt: impl AsyncFn() -> Result<Response<Bytes>>,
) -> Result<Result<Bytes, Refused>> {
    let begun = Instant::now();
    let mut told = false;
    loop {
        let outcome = attempt().await.map(|response| answer(&response));
        let may_pass = match &outcome {
            Ok(Ok(_)) => false,
            Ok(Err(refused)) => refused.is_passing(),
            // A file that cannot be read, or an address that is none, stays so.
            Err(error) => matches!(error.downcast_ref::<CallError>(), Some(CallError::Unreachable(..))),
        };
        if !may_pass || begun.elapsed() > patience {
            return outcome.with_context(|| what.to_owned());
        }
        if begun.elapsed() > QUIET && !told {
            tracing::warn!(what, ?outcome, "the platform does not answer; trying on");
            told = true;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The body of a success, or the refusal.
fn answer(response: &Response<Bytes>) -> Result<Bytes, Refused> {
    if response.status().is_success() {
        return Ok(response.body().clone());
    }
    let problem: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    let errors = problem["errors"].as_array().map_or_else(String::new, |_| problem["errors"].to_string());
    Err(Refused {
        status: response.status().as_u16(),
        code: text("code"),
        detail: format!("{} {errors}", text("detail")).trim().to_owned(),
    })
}

fn parsed(outcome: Result<Bytes, Refused>) -> Result<Result<Value, Refused>> {
    match outcome {
        Ok(body) => read(&body).map(Ok),
        Err(refused) => Ok(Err(refused)),
    }
}

fn read(body: &Bytes) -> Result<Value> {
    if body.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(body)?) }
}

impl Refused {
    /// Whether it may be gone at the next try.
    fn is_passing(&self) -> bool {
        matches!(self.status, 429 | 502 | 503 | 504) || self.code == "IDEMPOTENCY_IN_PROGRESS"
    }

    /// Whether it is gone after another login: the token has run out, or was given too long ago for this.
    fn needs_login(&self) -> bool {
        matches!(self.code.as_str(), "INVALID_TOKEN" | "PASSWORD_NEEDED")
    }

    pub fn into_error(self, method: &str, path: &str) -> anyhow::Error {
        anyhow::anyhow!("{method} {path}: {} {} {}", self.status, self.code, self.detail)
    }
}

impl Session {
    /// Logs in again: after new rights, or when the token has run out.
    pub async fn renew(&self) -> Result<()> {
        let tokens = self
            .api
            .post_open(
                "/api/v1/auth/login",
                &json!({"username_or_email": self.login, "password": self.password}),
            )
            .await?;
        self.take(&tokens).await
    }

    /// Speaks for a company that was registered a moment ago. A login would not know it before its event has come.
    pub async fn speak_for(&self, company: &str) -> Result<()> {
        let tokens = self.post("/api/v1/auth/switch-company", &json!({"company_id": company})).await?;
        self.take(&tokens).await
    }

    async fn take(&self, tokens: &Value) -> Result<()> {
        let access =
            tokens["access_token"].as_str().with_context(|| format!("{} got no token", self.login))?;
        access.clone_into(&mut *self.access.write().await);
        Ok(())
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<(&str, Bytes)>,
    ) -> Result<Result<Bytes, Refused>> {
        let token = self.access.read().await.clone();
        let outcome = self.api.send(&method, path, Some(&token), body.clone()).await?;
        if !matches!(&outcome, Err(refused) if refused.needs_login()) {
            return Ok(outcome);
        }
        self.renew().await?;
        let token = self.access.read().await.clone();
        self.api.send(&method, path, Some(&token), body).await
    }

    pub async fn get(&self, path: &str) -> Result<Value> {
        self.try_get(path).await?.map_err(|refused| refused.into_error("GET", path))
    }

    /// As [`Session::get`], where a refusal is an answer, too.
    pub async fn try_get(&self, path: &str) -> Result<Result<Value, Refused>> {
        parsed(self.call(Method::GET, path, None).await?)
    }

    /// What is no JSON.
    pub async fn get_bytes(&self, path: &str) -> Result<Bytes> {
        self.call(Method::GET, path, None).await?.map_err(|refused| refused.into_error("GET", path))
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.write(Method::POST, path, body).await
    }

    /// As [`Session::post`], again while it is refused with `code`: what it needs follows by events. `if_it_stays` says
    /// why it may never come.
    pub async fn post_despite(
        &self,
        path: &str,
        body: &Value,
        code: &str,
        if_it_stays: &'static str,
    ) -> Result<Value> {
        let deadline = Instant::now() + TIMEOUT;
        let bytes = Bytes::from(body.to_string());
        loop {
            let outcome = self.call(Method::POST, path, Some(("application/json", bytes.clone()))).await?;
            match outcome {
                Err(refused) if refused.code == code && Instant::now() < deadline => {
                    tokio::time::sleep(PAUSE).await;
                }
                Err(refused) if refused.code == code => {
                    return Err(refused.into_error("POST", path).context(if_it_stays));
                }
                outcome => return read(&outcome.map_err(|refused| refused.into_error("POST", path))?),
            }
        }
    }

    pub async fn put(&self, path: &str, body: &Value) -> Result<Value> {
        self.write(Method::PUT, path, body).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Result<Value> {
        self.write(Method::PATCH, path, body).await
    }

    async fn write(&self, method: Method, path: &str, body: &Value) -> Result<Value> {
        let outcome =
            self.call(method.clone(), path, Some(("application/json", body.to_string().into()))).await?;
        read(&outcome.map_err(|refused| refused.into_error(method.as_str(), path))?)
    }

    /// Streams a file as it is.
    pub async fn upload(&self, path: &str, kind: &str, file: &Path) -> Result<Value> {
        self.renew().await?;
        let token = self.access.read().await.clone();
        let outcome = self.api.send_file(path, &token, kind, file).await?;
        read(&outcome.map_err(|refused| refused.into_error("POST", path))?)
    }

    /// Asks again until the answer satisfies; for what follows by events.
    pub async fn get_until(&self, path: &str, what: &str, enough: impl Fn(&Value) -> bool) -> Result<Value> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let answer = self.get(path).await?;
            if enough(&answer) {
                return Ok(answer);
            }
            if Instant::now() > deadline {
                bail!("{what} did not come within {TIMEOUT:?}: {answer}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A text field that an answer must have.
pub fn text(value: &Value, name: &str) -> Result<String> {
    value[name].as_str().map(str::to_owned).with_context(|| format!("the answer has no {name}: {value}"))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn only_who_cannot_be_reached_is_asked_again() {
        let tries = Cell::new(0);
        let outcome = persist("it", PATIENCE, async || {
            tries.set(tries.get() + 1);
            let error: anyhow::Error = match tries.get() {
                1 => CallError::Unreachable("it".to_owned(), "refused".to_owned()).into(),
                _ => std::io::Error::from(std::io::ErrorKind::PermissionDenied).into(),
            };
            Err(error)
        })
        .await;
        assert!(outcome.is_err());
        assert_eq!(tries.get(), 2);
    }

    #[test]
    fn an_address_without_a_scheme_is_none() {
        for base in ["127.0.0.1:8000", "quenty.example", "/api"] {
            assert!(Api::new(base).url("/health").is_err(), "{base}");
        }
        assert!(Api::new("http://127.0.0.1:8000/").url("/health").is_ok());
    }
}
