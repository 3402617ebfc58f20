//! Calls between services: a deadline, never later than that of the request that they are part of, one retry where it is
//! safe, a breaker per service, the service's own token, the trace. Never inside a transaction.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    BoxError,
    body::{Body, HttpBody},
    http::{Method, Request, Response, StatusCode, header},
};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as HyperClient, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use quenty_kernel::{Failure, Kind};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use tokio_rustls::rustls::ClientConfig;

use crate::{
    discovery::Discovery,
    http::problem::Problem,
    settings::Settings,
    span::{Span, SpanKind},
    time_left::{self, TIME_LEFT},
    tls::{self, TlsError},
};

const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
/// Two tries within the promised two seconds.
const TRY_TIMEOUT: Duration = Duration::from_millis(900);
const CALL_TIMEOUT: Duration = Duration::from_secs(2);
/// A token is not used in its last moments: it has to be valid when it arrives.
const TOKEN_MARGIN: Duration = Duration::from_secs(30);
const MAX_ANSWER_BYTES: usize = 8 << 20;
/// The breaker opens after this many failures in a row, and lets one call through after the pause.
const BREAKER_FAILURES: u32 = 5;
const BREAKER_PAUSE: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("{0} cannot be reached: {1}")]
    Unreachable(String, String),
    /// Too many failures in a row: nothing was sent.
    #[error("{0} is failing; calls to it pause for a moment")]
    BreakerOpen(String),
    /// The other side refused, with its reason.
    #[error("{service} answered {status}: {problem}")]
    Refused { service: String, status: u16, problem: String, code: Option<String> },
    #[error("the answer could not be read: {0}")]
    Unreadable(String),
}

impl CallError {
    /// Whether the other side says that the thing does not exist. A version without that route says nothing about it, nor
    /// does whoever else stands at the address.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status: 404, code: Some(code), .. } if code == "NOT_FOUND")
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        tracing::warn!(%error, "a call to another service failed");
        Failure::new(
            Kind::Unavailable,
            "DEPENDENCY_UNAVAILABLE",
            "a service that is needed for this cannot answer now; try again",
        )
        .retry_after(2)
    }
}

impl From<CallError> for crate::Error {
    fn from(error: CallError) -> Self {
        Self::Failure(error.into())
    }
}

/// Connections in the clear or by TLS, as a URL says.
pub type Https = HttpsConnector<HttpConnector>;

type Pool = HyperClient<Https, Body>;

/// HTTP and HTTPS with pooled connections; shared by all clients of a process.
#[derive(Clone)]
pub struct Transport {
    pool: Pool,
    /// To Consul, whose certificate another authority signs than those of the services.
    infrastructure: Pool,
}

/// HTTP, and HTTPS by these rules; by the public authorities without any.
#[must_use]
pub fn connector(mut http: HttpConnector, tls: Option<ClientConfig>) -> Https {
    http.enforce_http(false);
    let builder = HttpsConnectorBuilder::new();
    let builder = match tls {
        Some(config) => builder.with_tls_config(config),
        None => builder.with_webpki_roots(),
    };
    builder.https_or_http().enable_http1().wrap_connector(http)
}

fn pool(tls: Option<ClientConfig>) -> Pool {
    let mut http = HttpConnector::new();
    http.set_nodelay(true);
    http.set_connect_timeout(Some(CONNECT_TIMEOUT));
    HyperClient::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_secs(30))
        .build(connector(http, tls))
}

impl Default for Transport {
    fn default() -> Self {
        let pool = pool(None);
        Self { infrastructure: pool.clone(), pool }
    }
}

impl Transport {
    /// As the settings say whom to trust and what to show.
    ///
    /// # Errors
    /// When a file of certificates or keys is missing or unfit.
    pub fn from_settings(settings: &Settings) -> Result<Self, TlsError> {
        let (services, infrastructure) = (tls::to_services(settings)?, tls::to_infrastructure(settings)?);
        Ok(Self { pool: pool(services), infrastructure: pool(infrastructure) })
    }

    /// The same, for what is no service of the platform.
    #[must_use]
    pub fn to_infrastructure(&self) -> Self {
        Self { pool: self.infrastructure.clone(), infrastructure: self.infrastructure.clone() }
    }

    /// Sends one request, whose body may stream, and reads the whole answer.
    ///
    /// # Errors
    /// When there is none within `timeout`.
    pub async fn send<B>(&self, request: Request<B>, timeout: Duration) -> Result<Response<Bytes>, CallError>
    where
        B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        self.try_send(request, timeout).await.map_err(|unanswered| unanswered.why)
    }

    async fn try_send<B>(&self, request: Request<B>, timeout: Duration) -> Result<Response<Bytes>, Unanswered>
    where
        B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let host = request.uri().authority().map_or_else(String::new, ToString::to_string);
        let unreachable = |why: String, was_sent| {
            let why = CallError::Unreachable(host.clone(), why);
            Unanswered { why, was_sent }
        };
        let exchange = async {
            let response = self.pool.request(request.map(Body::new)).await;
            let response = response.map_err(|e| unreachable(tls::told(&e), !e.is_connect()))?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await.map_err(|e| {
                if e.is::<LengthLimitError>() {
                    let why = format!("the answer is longer than {MAX_ANSWER_BYTES} bytes");
                    Unanswered { why: CallError::Unreadable(why), was_sent: true }
                } else {
                    unreachable(e.to_string(), true)
                }
            })?;
            Ok(Response::from_parts(parts, body.to_bytes()))
        };
        tokio::time::timeout(timeout, exchange)
            .await
            .map_err(|_| unreachable(format!("no answer within {timeout:?}"), true))?
    }

    /// Fetches a JSON document without a token.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn get_json<T: DeserializeOwned>(&self, url: &str, timeout: Duration) -> Result<T, CallError> {
        let request =
            Request::get(url).body(Body::empty()).map_err(|e| CallError::Unreadable(e.to_string()))?;
        let response = self.send(request, timeout).await?;
        read(url, response.status(), response.body())
    }

    /// As [`Transport::get_json`], of a document whose `version` (its `ETag`) may be known; nothing if it has not changed.
    ///
    /// # Errors
    /// When it cannot be had.
    pub(crate) async fn get_json_if_changed<T: DeserializeOwned>(
        &self,
        url: &str,
        version: Option<&str>,
        timeout: Duration,
    ) -> Result<Option<(T, Option<String>)>, CallError> {
        let mut request = Request::get(url);
        if let Some(version) = version {
            request = request.header(header::IF_NONE_MATCH, version);
        }
        let request = request.body(Body::empty()).map_err(|e| CallError::Unreadable(e.to_string()))?;
        let response = self.send(request, timeout).await?;
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        let version =
            response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        Ok(Some((read(url, response.status(), response.body())?, version)))
    }
}

fn read<T: DeserializeOwned>(service: &str, status: StatusCode, body: &[u8]) -> Result<T, CallError> {
    if !status.is_success() {
        let problem = serde_json::from_slice::<Problem>(body).ok();
        return Err(CallError::Refused {
            service: service.to_owned(),
            status: status.as_u16(),
            problem: problem.as_ref().map_or_else(|| status.to_string(), |p| p.detail.clone()),
            code: problem.map(|p| p.code),
        });
    }
    serde_json::from_slice(body).map_err(|e| CallError::Unreadable(e.to_string()))
}

/// A request without an answer.
struct Unanswered {
    why: CallError,
    was_sent: bool,
}

#[derive(Default)]
struct Breaker {
    failures: u32,
    open_until: Option<Instant>,
}

#[derive(Clone)]
struct Token {
    text: String,
    /// Half of its life: from here on a new one is asked for, and this one still serves if there is none.
    renew_at: Instant,
    expires_at: Instant,
    /// When it, or the one before, was last renewed because somebody refused it.
    refused_at: Option<Instant>,
}

#[derive(Serialize)]
struct TokenRequest<'a> {
    grant_type: &'static str,
    client_id: &'a str,
    client_secret: &'a str,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    expires_in: u64,
}

/// The calls of one service to its siblings.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    service: &'static str,
    settings: Settings,
    discovery: Discovery,
    transport: Transport,
    token: tokio::sync::Mutex<Option<Token>>,
    breakers: Mutex<HashMap<String, Breaker>>,
}

impl Client {
    #[must_use]
    pub fn new(
        service: &'static str,
        settings: Settings,
        discovery: Discovery,
        transport: Transport,
    ) -> Self {
        Self(Arc::new(Inner {
            service,
            settings,
            discovery,
            transport,
            token: tokio::sync::Mutex::new(None),
            breakers: Mutex::default(),
        }))
    }

    /// The service of this name, if there is one that can be called.
    #[must_use]
    pub fn find(&self, service: &str) -> Option<&'static str> {
        self.0.discovery.known(service)
    }

    /// `GET` of an internal operation of another service, with one retry.
    ///
    /// # Errors
    /// When the service cannot be reached within two seconds, or refuses.
    pub async fn get<T: DeserializeOwned>(&self, service: &'static str, path: &str) -> Result<T, CallError> {
        let both_tries = async {
            match self.call(service, &Method::GET, path, None).await {
                Err(CallError::Unreachable(..)) => self.call(service, &Method::GET, path, None).await,
                Ok((status, _)) if is_passing(status) => self.call(service, &Method::GET, path, None).await,
                other => other,
            }
        };
        let (status, body) = within_limit(service, both_tries).await?;
        read(service, status, &body)
    }

    /// `POST` of an internal operation of another service; not retried once it was sent.
    ///
    /// # Errors
    /// When the service cannot be reached in time, or refuses.
    pub async fn post<T: DeserializeOwned>(
        &self,
        service: &'static str,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<T, CallError> {
        let body = serde_json::to_vec(body).map_err(|e| CallError::Unreadable(e.to_string()))?;
        let call = self.call(service, &Method::POST, path, Some(body.into()));
        let (status, body) = within_limit(service, call).await?;
        read(service, status, &body)
    }

    async fn call(
        &self,
        service: &'static str,
        method: &Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<(StatusCode, Bytes), CallError> {
        self.let_through(service)?;
        let token = self.token().await?;
        let mut seen = self.asking(service, method);
        let left = time_left::at_most(TRY_TIMEOUT).as_millis();
        let (body, trace) = (body.unwrap_or_default(), seen.context().to_string());
        let request = |location: &str| {
            Request::builder()
                .method(method)
                .uri(format!("{location}{path}"))
                .header(header::AUTHORIZATION, format!("Bearer {token}"))
                .header(header::CONTENT_TYPE, "application/json")
                .header("traceparent", &trace)
                .header(TIME_LEFT, u64::try_from(left).unwrap_or(u64::MAX))
                .body(Full::new(body.clone()))
        };
        let outcome = self.ask(service, request).await;
        heard(&mut seen, &outcome);
        let answered = match &outcome {
            Ok(response) => !is_passing(response.status()),
            // Too long an answer is one, too.
            Err(error) => !matches!(error, CallError::Unreachable(..)),
        };
        self.count(service, answered);
        let response = outcome?;
        if matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            // Auth may sign with other keys by now, or give more: the next call asks for a new token. One that is refused,
            // too, is what Auth gives.
            let mut held = self.0.token.lock().await;
            let is_over = |at: Instant| at.elapsed() > TOKEN_MARGIN;
            let is_news = |held: &&mut Token| held.text == token && held.refused_at.is_none_or(is_over);
            if let Some(held) = held.as_mut().filter(is_news) {
                let now = Instant::now();
                (held.renew_at, held.refused_at) = (now, Some(now));
            }
        }
        Ok((response.status(), response.into_body()))
    }

    /// Sends a request to a process of the service; to the next one where there was no connection, for nothing was sent.
    async fn ask(
        &self,
        service: &str,
        request: impl Fn(&str) -> http::Result<Request<Full<Bytes>>>,
    ) -> Result<Response<Bytes>, CallError> {
        let mut tries = 0;
        loop {
            let location = self.0.discovery.locate(service)?;
            let request = request(&location).map_err(|e| CallError::Unreadable(e.to_string()))?;
            tries += 1;
            match self.0.transport.try_send(request, TRY_TIMEOUT).await {
                Err(Unanswered { was_sent: false, .. }) if tries < 2 => {}
                outcome => return outcome.map_err(|unanswered| unanswered.why),
            }
        }
    }

    /// The path has ids in it, and its template is the other side's to tell.
    fn asking(&self, service: &'static str, method: &Method) -> Span {
        let mut seen = Span::here(self.0.service, SpanKind::Client);
        seen.name(|| method.to_string());
        seen.text("http.request.method", method);
        seen.text("service.peer.name", service);
        seen
    }

    fn let_through(&self, service: &str) -> Result<(), CallError> {
        let mut breakers = self.0.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(breaker) = breakers.get_mut(service) else { return Ok(()) };
        match breaker.open_until {
            Some(until) if Instant::now() < until => Err(CallError::BreakerOpen(service.to_owned())),
            Some(_) => {
                // Half open: this call goes through, the others keep waiting for its outcome.
                breaker.open_until = Some(Instant::now() + BREAKER_PAUSE);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn count(&self, service: &str, success: bool) {
        let mut breakers = self.0.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        let breaker = breakers.entry(service.to_owned()).or_default();
        if success {
            *breaker = Breaker::default();
            return;
        }
        breaker.failures += 1;
        if breaker.failures >= BREAKER_FAILURES {
            if breaker.open_until.is_none() {
                tracing::warn!(service, "the breaker opened");
            }
            breaker.open_until = Some(Instant::now() + BREAKER_PAUSE);
            metrics::counter!("quenty_breaker_opened_total", "service" => self.0.service, "upstream" => service.to_owned()).increment(1);
        }
    }

    /// The service's own token (OAuth 2.0 client credentials). While Auth is away, the one it has serves to its end.
    async fn token(&self) -> Result<String, CallError> {
        let mut held = self.0.token.lock().await;
        let now = Instant::now();
        if let Some(token) = held.as_ref().filter(|token| now < token.renew_at) {
            return Ok(token.text.clone());
        }
        match self.fetch_token().await {
            Ok(token) => {
                let refused_at = held.as_ref().and_then(|held| held.refused_at);
                Ok(held.insert(Token { refused_at, ..token }).text.clone())
            }
            Err(error) => match held.as_mut().filter(|token| now < token.expires_at) {
                Some(token) => {
                    tracing::warn!(service = self.0.service, %error, "the token could not be renewed yet");
                    token.renew_at = now + TOKEN_MARGIN;
                    Ok(token.text.clone())
                }
                None => Err(error),
            },
        }
    }

    async fn fetch_token(&self) -> Result<Token, CallError> {
        let unreadable = |e: &dyn std::fmt::Display| CallError::Unreadable(e.to_string());
        let secret = self.0.settings.require("client_secret").map_err(|e| unreadable(&e))?;
        let body = serde_json::to_vec(&TokenRequest {
            grant_type: "client_credentials",
            client_id: self.0.service,
            client_secret: secret,
        })
        .map_err(|e| unreadable(&e))?;
        let mut seen = self.asking("auth", &Method::POST);
        let (body, trace) = (Bytes::from(body), seen.context().to_string());
        let request = |location: &str| {
            Request::post(format!("{location}/api/v1/auth/token"))
                .header(header::CONTENT_TYPE, "application/json")
                .header("traceparent", &trace)
                .body(Full::new(body.clone()))
        };
        let asked_at = Instant::now();
        let outcome = self.ask("auth", request).await;
        heard(&mut seen, &outcome);
        drop(seen);
        let response = outcome?;
        let answer: TokenAnswer = read("auth", response.status(), response.body())?;
        let life = Duration::from_secs(answer.expires_in);
        Ok(Token {
            text: answer.access_token,
            renew_at: asked_at + life / 2,
            expires_at: asked_at + life.saturating_sub(TOKEN_MARGIN),
            refused_at: None,
        })
    }
}

fn heard(seen: &mut Span, outcome: &Result<Response<Bytes>, CallError>) {
    match outcome {
        Ok(response) => seen.answered(response.status().as_u16(), 400),
        Err(_) => seen.fail("unreachable"),
    }
}

/// Both tries and the token that they need, and whoever waits for another's renewal of it. A call that ends early because
/// its own request does is dropped, and says nothing of the service to the breaker.
async fn within_limit<T>(
    service: &str,
    call: impl Future<Output = Result<T, CallError>>,
) -> Result<T, CallError> {
    let limit = time_left::at_most(CALL_TIMEOUT);
    tokio::time::timeout(limit, call).await.unwrap_or_else(|_| {
        Err(CallError::Unreachable(service.to_owned(), format!("no answer within {limit:?}")))
    })
}

/// Failures that may be gone at the next try.
fn is_passing(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}
