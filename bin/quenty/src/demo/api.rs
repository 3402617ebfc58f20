//! The public API as the demo's people use it: JSON over HTTP through the gateway, every write with an
//! `Idempotency-Key`, so that a repeated one changes nothing.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use axum::http::{Method, Request, header};
use bytes::Bytes;
use http_body_util::Full;
use quenty_kernel::id::new_uuid;
use quenty_platform::client::Transport;
use serde_json::{Value, json};

const TIMEOUT: Duration = Duration::from_secs(60);
const TRIES: u32 = 40;
const PAUSE: Duration = Duration::from_millis(100);

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

    /// Sends until the platform answers; a refusal is an answer.
    async fn send(&self, method: &Method, path: &str, token: Option<&str>, body: Option<(&str, Bytes)>) -> Result<Result<Value, Refused>> {
        let key = new_uuid().to_string();
        for attempt in 1.. {
            let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
            if let Some(token) = token {
                request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
            }
            if method == Method::POST {
                request = request.header("idempotency-key", &key);
            }
            let (kind, bytes) = body.clone().unwrap_or(("application/json", Bytes::new()));
            let request = request.header(header::CONTENT_TYPE, kind).body(Full::new(bytes))?;
            match self.transport.send(request, TIMEOUT).await {
                Ok(response) if response.status().is_success() => {
                    let body = response.into_body();
                    return Ok(Ok(if body.is_empty() { Value::Null } else { serde_json::from_slice(&body)? }));
                }
                Ok(response) => {
                    let status = response.status().as_u16();
                    let problem: Value = serde_json::from_slice(response.body()).unwrap_or_default();
                    let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
                    let refused = Refused { status, code: text("code"), detail: format!("{} {}", text("detail"), problem["errors"]) };
                    let passing = matches!(status, 429 | 502 | 503 | 504) || refused.code == "IDEMPOTENCY_IN_PROGRESS";
                    if !passing || attempt >= TRIES {
                        return Ok(Err(refused));
                    }
                }
                Err(error) if attempt >= TRIES => return Err(error).with_context(|| format!("{method} {path}")),
                Err(_) => {}
            }
            tokio::time::sleep(PAUSE).await;
        }
        unreachable!("the loop returns at its last attempt")
    }

    /// A call that needs no login.
    pub async fn post_open(&self, path: &str, body: &Value) -> Result<Value> {
        let outcome = self.send(&Method::POST, path, None, Some(("application/json", body.to_string().into()))).await?;
        outcome.map_err(|refused| refused.into_error("POST", path))
    }

    pub async fn login(&self, login: &str, password: &str) -> Result<Session> {
        let session = Session { api: self.clone(), login: login.to_owned(), password: password.to_owned(), access: std::sync::Arc::default() };
        session.renew().await?;
        Ok(session)
    }
}

impl Refused {
    fn into_error(self, method: &str, path: &str) -> anyhow::Error {
        anyhow::anyhow!("{method} {path}: {} {} {}", self.status, self.code, self.detail.trim())
    }
}

impl Session {
    /// Logs in again: after new rights, or when the token has run out.
    pub async fn renew(&self) -> Result<()> {
        let tokens = self.api.post_open("/api/v1/auth/login", &json!({"username_or_email": self.login, "password": self.password})).await?;
        let access = tokens["access_token"].as_str().with_context(|| format!("{} got no token", self.login))?;
        access.clone_into(&mut *self.access.write().await);
        Ok(())
    }

    async fn call(&self, method: Method, path: &str, body: Option<(&str, Bytes)>) -> Result<Result<Value, Refused>> {
        let token = self.access.read().await.clone();
        let outcome = self.api.send(&method, path, Some(&token), body.clone()).await?;
        if !matches!(&outcome, Err(refused) if refused.code == "INVALID_TOKEN") {
            return Ok(outcome);
        }
        self.renew().await?;
        let token = self.access.read().await.clone();
        self.api.send(&method, path, Some(&token), body).await
    }

    pub async fn get(&self, path: &str) -> Result<Value> {
        self.call(Method::GET, path, None).await?.map_err(|refused| refused.into_error("GET", path))
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.try_post(path, body).await?.map_err(|refused| refused.into_error("POST", path))
    }

    /// As [`Session::post`], where a refusal is part of the story.
    pub async fn try_post(&self, path: &str, body: &Value) -> Result<Result<Value, Refused>> {
        self.call(Method::POST, path, Some(("application/json", body.to_string().into()))).await
    }

    /// Uploads a file as it is.
    pub async fn upload(&self, path: &str, kind: &str, content: Bytes) -> Result<Value> {
        self.call(Method::POST, path, Some((kind, content))).await?.map_err(|refused| refused.into_error("POST", path))
    }

    /// Asks again until the answer satisfies; for what follows by events.
    pub async fn get_until(&self, path: &str, what: &str, enough: impl Fn(&Value) -> bool) -> Result<Value> {
        let deadline = tokio::time::Instant::now() + TIMEOUT;
        loop {
            let answer = self.get(path).await?;
            if enough(&answer) {
                return Ok(answer);
            }
            if tokio::time::Instant::now() > deadline {
                bail!("{what} did not come within {TIMEOUT:?}: {answer}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
