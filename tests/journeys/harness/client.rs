//! One person's way to the platform: the gateway, with their token. Every change carries an `Idempotency-Key`.

use std::time::{Duration, Instant};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Method;
use quenty_kernel::id::new_uuid;
use quenty_platform::client::Transport;
use quenty_testkit::http::{Answer, Call};
use serde_json::Value;

const PAUSE: Duration = Duration::from_millis(150);
/// How long something may take to become true, and how often it is looked at.
const LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(40);
/// Among hundreds of orders, looking is work, too.
const PATIENT_LIMIT: Duration = Duration::from_secs(240);
const PATIENT_POLL: Duration = Duration::from_millis(700);

#[derive(Clone)]
pub struct Client {
    transport: Transport,
    gateway: String,
    token: Option<String>,
    /// How long the same request is sent again while nobody can answer it; not at all by default, so that a
    /// story told on a healthy platform sees every failure.
    patience: Option<Duration>,
}

impl Client {
    pub fn new(gateway: &str) -> Self {
        Self { transport: Transport::default(), gateway: gateway.to_owned(), token: None, patience: None }
    }

    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// For a platform under fire: failures that may pass are waited out, with the same key.
    #[must_use]
    pub fn patient(&self, patience: Duration) -> Self {
        Self { patience: Some(patience), ..self.clone() }
    }

    pub fn token(&self) -> &str {
        self.token.as_deref().expect("someone who is logged in")
    }

    /// What the token permits.
    pub fn permissions(&self) -> Vec<String> {
        let payload = self.token().split('.').nth(1).expect("a JWT");
        let payload = URL_SAFE_NO_PAD.decode(payload).expect("base64");
        let claims: Value = serde_json::from_slice(&payload).expect("claims");
        serde_json::from_value(claims["permissions"].clone()).expect("a list of permissions")
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(&Method::GET, path, None).await
    }
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(&Method::POST, path, Some(body)).await
    }

    /// Reads again and again until what is read is as wanted.
    pub async fn wait_for<T>(&self, path: &str, what: &str, wanted: impl Fn(&Value) -> Option<T>) -> T {
        let (limit, poll) = self.patience.map_or((LIMIT, POLL), |_| (PATIENT_LIMIT, PATIENT_POLL));
        let started = Instant::now();
        loop {
            let read = self.get(path).await.expect(200).json();
            if let Some(found) = wanted(&read) {
                return found;
            }
            assert!(started.elapsed() < limit, "not within {limit:?}: {what}; it is {read:#}");
            tokio::time::sleep(poll).await;
        }
    }

    /// One request as it stands, for a test that wants headers of its own.
    pub fn call(&self, method: Method, path: &str) -> Call {
        let call = Call::new(self.transport.clone(), method, format!("{}{path}", self.gateway));
        match &self.token {
            Some(token) => call.token(token),
            None => call,
        }
    }

    async fn send(&self, method: &Method, path: &str, body: Option<&Value>) -> Answer {
        let key = new_uuid().to_string();
        let started = Instant::now();
        loop {
            let mut call = self.call(method.clone(), path);
            if let Some(body) = body {
                call = call.json(body);
            }
            if body.is_some() && !path.starts_with("/api/v1/auth/") {
                // Auth answers with secrets, which are not kept for a repetition: there one simply asks again.
                call = call.idempotency_key(&key);
            }
            let answer = call.try_send().await;
            let impatient = self.patience.is_none_or(|patience| started.elapsed() > patience);
            match answer {
                Ok(answer) if impatient || !may_pass(&answer) => return answer,
                Err(error) if impatient => panic!("{method} {path}: {error:#}"),
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}

/// Answers that ask for a repetition: someone is away, or the first try is still running.
fn may_pass(answer: &Answer) -> bool {
    matches!(answer.status(), 502..=504) || answer.code() == "IDEMPOTENCY_IN_PROGRESS"
}
