//! A service behind the gateway: in this process, or as one or several processes elsewhere; all behave the same.

mod budget;
mod instance;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
};
use futures_util::future::join_all;
use http_body_util::BodyExt;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use quenty_kernel::{Failure, Kind};
use serde_json::Value;
use tokio::sync::{Semaphore, SemaphorePermit};
use tower::ServiceExt;

pub(crate) use self::budget::Budget;
use self::instance::Instance;

/// The routes of the others do not wait longer for a service that hangs.
const DESCRIPTION_TIMEOUT: Duration = Duration::from_secs(2);

/// A service's OpenAPI document.
pub type Description = Arc<Value>;

/// Where requests for a service go.
#[derive(Clone)]
pub struct Upstream {
    pub name: &'static str,
    target: Target,
}

#[derive(Clone)]
enum Target {
    /// Called directly, without a socket.
    Local {
        router: Router,
        description: Description,
    },
    Remote(Arc<Remote>),
}

struct Remote {
    instances: Vec<Instance>,
    /// Which comes first among those that have as little to do.
    turn: AtomicUsize,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// Nothing was sent.
    #[error("no connection: {0}")]
    NotConnected(String),
    #[error("{0}")]
    BrokenOff(String),
    #[error("no answer in time")]
    TooSlow,
    /// All of its processes failed too often of late; nothing was sent.
    #[error("every process of it fails; it is left alone for a moment")]
    LeftAlone,
}

impl Unreachable {
    pub(crate) fn is_unsent(&self) -> bool {
        matches!(self, Self::NotConnected(_) | Self::LeftAlone)
    }
}

impl Upstream {
    #[must_use]
    pub fn local(name: &'static str, router: Router, description: Value) -> Self {
        Self { name, target: Target::Local { router, description: Arc::new(description) } }
    }

    /// A service at one URL, or at several, by commas.
    #[must_use]
    pub fn remote(name: &'static str, urls: &str) -> Self {
        let urls = urls.split(',').map(str::trim).filter(|url| !url.is_empty());
        let remote = Remote { instances: urls.map(Instance::at).collect(), turn: AtomicUsize::new(0) };
        Self { name, target: Target::Remote(Arc::new(remote)) }
    }

    pub(crate) fn description(&self) -> Option<&Description> {
        match &self.target {
            Target::Local { description, .. } => Some(description),
            Target::Remote(_) => None,
        }
    }

    /// Reads the description of a remote service; `None` when it is in this process or cannot be read now.
    pub(crate) async fn fetch_description(
        &self,
        client: &Client<HttpConnector, Body>,
    ) -> Option<Description> {
        if self.description().is_some() {
            return None;
        }
        let answers = self.ask_all(client, "/openapi.json", DESCRIPTION_TIMEOUT).await;
        let (_, body) = answers.into_iter().find(|(status, _)| status.is_success())?;
        serde_json::from_slice(&body).ok().map(Arc::new)
    }

    /// Asks every process for the same, also those that are left alone: one that answers well is taken back.
    pub(crate) async fn ask_all(
        &self,
        client: &Client<HttpConnector, Body>,
        path: &str,
        within: Duration,
    ) -> Vec<(StatusCode, Bytes)> {
        let read = async |response: Response<Body>| {
            let status = response.status();
            response.into_body().collect().await.ok().map(|body| (status, body.to_bytes()))
        };
        match &self.target {
            Target::Local { router, .. } => {
                let Ok(request) = Request::get(path).body(Body::empty()) else { return Vec::new() };
                let answer = async { read(router.clone().oneshot(request).await.ok()?).await };
                tokio::time::timeout(within, answer).await.ok().flatten().into_iter().collect()
            }
            Target::Remote(remote) => {
                let asked = remote.instances.iter().map(|instance| async {
                    let running = instance.begin();
                    let request =
                        Request::get(format!("{}{path}", instance.base_url)).body(Body::empty()).ok()?;
                    let answer = async { read(client.request(request).await.ok()?.map(Body::new)).await };
                    let answer = tokio::time::timeout(within, answer).await.ok().flatten()?;
                    if answer.0.is_success() {
                        running.end(self.name, true);
                    }
                    Some(answer)
                });
                join_all(asked).await.into_iter().flatten().collect()
            }
        }
    }

    /// Sends a request whose URI is a path, once; the bodies stream both ways. Of several processes that one is asked
    /// which has least to do and has not just failed again and again.
    pub(crate) async fn send(
        &self,
        client: &Client<HttpConnector, Body>,
        request: Request<Body>,
        deadline: Instant,
    ) -> Result<Response<Body>, Unreachable> {
        match &self.target {
            Target::Local { router, .. } => {
                let answer = tokio::time::timeout_at(deadline.into(), router.clone().oneshot(request)).await;
                answer.map_err(|_| Unreachable::TooSlow)?.map_err(|never| match never {})
            }
            Target::Remote(remote) => remote.send(self.name, client, request, deadline).await,
        }
    }
}

impl Remote {
    async fn send(
        &self,
        name: &'static str,
        client: &Client<HttpConnector, Body>,
        mut request: Request<Body>,
        deadline: Instant,
    ) -> Result<Response<Body>, Unreachable> {
        let instance = self.pick().ok_or(Unreachable::LeftAlone)?;
        let uri = format!("{}{}", instance.base_url, request.uri());
        *request.uri_mut() = uri.parse::<Uri>().map_err(|e| Unreachable::NotConnected(e.to_string()))?;
        let running = instance.begin();
        let outcome = match tokio::time::timeout_at(deadline.into(), client.request(request)).await {
            Ok(Ok(response)) => Ok(response.map(Body::new)),
            Ok(Err(error)) if error.is_connect() => Err(Unreachable::NotConnected(error.to_string())),
            Ok(Err(error)) => Err(Unreachable::BrokenOff(error.to_string())),
            Err(_) => Err(Unreachable::TooSlow),
        };
        let is_well = outcome.as_ref().is_ok_and(|response| !self.counts_as_failure(response.status()));
        running.end(name, is_well);
        outcome
    }

    /// A process that is not ready says so with 503. It is passed over where there is another; its database is the same.
    fn counts_as_failure(&self, status: StatusCode) -> bool {
        matches!(status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT)
            || (status == StatusCode::SERVICE_UNAVAILABLE && self.instances.len() > 1)
    }

    fn pick(&self) -> Option<&Instance> {
        let (count, now) = (self.instances.len(), Instant::now());
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let in_turn = (0..count).map(|step| &self.instances[(turn + step) % count]);
        let least_busy =
            in_turn.filter(|instance| instance.is_well()).min_by_key(|instance| instance.running());
        // One of those that failed is tried again first, once its pause is over: else it would stay away for ever.
        self.instances.iter().find(|instance| instance.may_try_again(now)).or(least_busy)
    }
}

/// How many requests of a service run at a time; more are turned away before they make all of them slow.
#[derive(Debug)]
pub(crate) struct Gate(Semaphore);

impl Gate {
    pub(crate) fn new(places: usize) -> Self {
        Self(Semaphore::new(places))
    }

    /// # Errors
    /// 503 when as many run already.
    pub(crate) fn enter(&self, name: &'static str) -> Result<SemaphorePermit<'_>, Failure> {
        self.0.try_acquire().map_err(|_| {
            metrics::counter!("quenty_gateway_shed_total", "upstream" => name).increment(1);
            let detail = format!("the {name} service has all that it can do; try again");
            Failure::new(Kind::Unavailable, "OVERLOADED", detail).retry_after(1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(count: usize) -> Remote {
        let urls: Vec<String> = (0..count).map(|port| format!("http://127.0.0.1:{port}")).collect();
        match Upstream::remote("order", &urls.join(", ")).target {
            Target::Remote(remote) => Arc::into_inner(remote).unwrap(),
            Target::Local { .. } => unreachable!(),
        }
    }

    #[test]
    fn who_has_least_to_do_is_asked_and_equals_take_turns() {
        let remote = remote(3);
        let first = remote.pick().unwrap().begin();
        let second = remote.pick().unwrap().begin();
        let third = remote.pick().unwrap().begin();
        assert!(remote.instances.iter().all(|instance| instance.running() == 1));
        drop(second);
        for _ in 0..5 {
            assert_eq!(remote.pick().unwrap().running(), 0);
        }
        drop((first, third));
        assert!(remote.instances.iter().all(|instance| instance.running() == 0));
    }

    #[test]
    fn who_fails_again_and_again_is_passed_over_until_its_pause_is_over() {
        let remote = remote(2);
        for _ in 0..instance::FAILURES {
            remote.instances[0].begin().end("order", false);
        }
        for _ in 0..5 {
            assert_eq!(remote.pick().unwrap().base_url, "http://127.0.0.1:1");
        }
        let later = Instant::now() + Duration::from_secs(2);
        assert!(remote.instances[0].may_try_again(later), "one request tries it");
        assert!(!remote.instances[0].may_try_again(later), "and no other meanwhile");
        remote.instances[0].begin().end("order", true);
        assert!(remote.instances[0].is_well());
        for instance in &remote.instances {
            for _ in 0..instance::FAILURES {
                instance.begin().end("order", false);
            }
        }
        assert!(remote.pick().is_none(), "nobody is asked while all of them fail");
    }
}
