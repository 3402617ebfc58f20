//! A service behind the gateway: in this process, or as one or several processes elsewhere; all behave the same.

mod budget;
mod connections;
mod gate;
mod instance;

use std::{
    sync::{
        Arc, PoisonError, RwLock,
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
use hyper::{Method, Request, Response, StatusCode};
use quenty_kernel::{Failure, Kind};
use quenty_platform::client::Https;
use serde_json::Value;
use tokio::sync::watch;
use tower::ServiceExt;

use self::instance::Instance;
pub(crate) use self::{
    budget::Budget,
    gate::{Gate, Usual},
};

/// The routes of the others do not wait longer for a service that hangs.
const DESCRIPTION_TIMEOUT: Duration = Duration::from_secs(2);
/// Where a process says whether it is ready, and how long it may take to say so.
pub(crate) const READINESS: &str = "/health/ready";
pub(crate) const READINESS_TIMEOUT: Duration = Duration::from_secs(2);

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
    known: RwLock<Known>,
    /// Which comes first among those that have as little to do.
    turn: AtomicUsize,
}

/// The processes of a service, and where they are said to be.
struct Known {
    instances: Arc<[Arc<Instance>]>,
    urls: watch::Receiver<Vec<String>>,
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
    /// The client did not send all of its request: nothing that a service could help.
    #[error("the request broke off")]
    Unfinished,
    /// All of its processes failed too often of late; nothing was sent.
    #[error("every process of it fails; it is left alone for a moment")]
    LeftAlone,
}

/// Of an answer that did not come to its end. What was to be changed may have been.
pub(crate) fn broken_off(method: &Method) -> Failure {
    let detail = if method.is_safe() {
        "the answer broke off; try again"
    } else {
        "the answer broke off, and it may have been done; with an Idempotency-Key it is safe to repeat, else look first"
    };
    Failure::new(Kind::BadGateway, "UPSTREAM_BROKE_OFF", detail)
}

/// Whether a service says that it cannot answer now.
pub(crate) fn cannot_now(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}

impl Unreachable {
    pub(crate) fn is_unsent(&self) -> bool {
        matches!(self, Self::NotConnected(_))
    }
}

impl Upstream {
    #[must_use]
    pub fn local(name: &'static str, router: Router, description: Value) -> Self {
        Self { name, target: Target::Local { router, description: Arc::new(description) } }
    }

    /// A service at one URL (scheme, host and port), or at several, by commas.
    #[must_use]
    pub fn remote(name: &'static str, urls: &str) -> Self {
        let urls = urls.split(',').map(str::trim).filter(|url| !url.is_empty()).map(str::to_owned);
        Self::found(name, watch::channel(urls.collect()).1)
    }

    /// A service whose processes come and go: at these URLs now, and at others whenever that changes.
    #[must_use]
    pub fn found(name: &'static str, urls: watch::Receiver<Vec<String>>) -> Self {
        let known = RwLock::new(Known::new(urls));
        Self { name, target: Target::Remote(Arc::new(Remote { known, turn: AtomicUsize::new(0) })) }
    }

    /// Whether another process may answer what one cannot.
    pub(crate) fn has_several(&self) -> bool {
        match &self.target {
            Target::Local { .. } => false,
            Target::Remote(remote) => remote.instances().len() > 1,
        }
    }

    pub(crate) fn description(&self) -> Option<&Description> {
        match &self.target {
            Target::Local { description, .. } => Some(description),
            Target::Remote(_) => None,
        }
    }

    /// The text of a remote service's description; `None` when it is in this process or cannot be read now.
    pub(crate) async fn fetch_description(&self, connector: &Https) -> Option<Bytes> {
        if self.description().is_some() {
            return None;
        }
        let answers = self.ask_all(connector, "/openapi.json", DESCRIPTION_TIMEOUT).await;
        answers.into_iter().find(|(status, _)| status.is_success()).map(|(_, body)| body)
    }

    /// Asks every process for the same, also those that are left alone.
    pub(crate) async fn ask_all(
        &self,
        connector: &Https,
        path: &str,
        within: Duration,
    ) -> Vec<(StatusCode, Bytes)> {
        match &self.target {
            Target::Local { router, .. } => {
                let Ok(request) = Request::get(path).body(Body::empty()) else { return Vec::new() };
                let answer = async { read(router.clone().oneshot(request).await.ok()?).await };
                tokio::time::timeout(within, answer).await.ok().flatten().into_iter().collect()
            }
            Target::Remote(remote) => {
                let instances = remote.instances();
                let asked = instances.iter().map(|instance| ask(instance, connector, path, within));
                join_all(asked).await.into_iter().flatten().collect()
            }
        }
    }

    /// Takes back whichever process was left alone long enough and says that it is ready. That it answers something else,
    /// such as its description, proves nothing.
    pub(crate) async fn take_back_who_is_ready(&self, connector: &Https) {
        let Target::Remote(remote) = &self.target else { return };
        let (instances, now) = (remote.instances(), Instant::now());
        let left_alone = instances.iter().filter(|instance| instance.has_had_its_pause(now));
        let asked = left_alone.map(|instance| async {
            let answer = ask(instance, connector, READINESS, READINESS_TIMEOUT).await;
            if answer.is_some_and(|(status, _)| status.is_success()) {
                instance.take_back();
            }
        });
        join_all(asked).await;
    }

    /// Sends a request whose URI is a path, once; the bodies stream both ways. Of several processes that one is asked
    /// which has least to do and has not just failed again and again, nor at this request: `failed` keeps their URLs. A
    /// request that streams takes as long as its sender: that it took too long says nothing of the process.
    pub(crate) async fn send(
        &self,
        connector: &Https,
        request: Request<Body>,
        is_streaming: bool,
        failed: &mut Vec<String>,
        deadline: Instant,
    ) -> Result<Response<Body>, Unreachable> {
        match &self.target {
            Target::Local { router, .. } => {
                let answer = tokio::time::timeout_at(deadline.into(), router.clone().oneshot(request)).await;
                answer.map_err(|_| Unreachable::TooSlow)?.map_err(|never| match never {})
            }
            Target::Remote(remote) => {
                remote.send(self.name, connector, request, is_streaming, failed, deadline).await
            }
        }
    }
}

impl Remote {
    async fn send(
        &self,
        name: &'static str,
        connector: &Https,
        request: Request<Body>,
        is_streaming: bool,
        failed: &mut Vec<String>,
        deadline: Instant,
    ) -> Result<Response<Body>, Unreachable> {
        let instances = self.instances();
        let picked = self.pick(&instances, failed, Instant::now());
        let instance = picked.ok_or(Unreachable::LeftAlone)?;
        let running = instance.begin();
        let answer = tokio::time::timeout_at(deadline.into(), instance.send(connector, request)).await;
        let outcome = answer.unwrap_or(Err(Unreachable::TooSlow));
        match &outcome {
            Ok(response) => running.end(name, !counts_as_failure(response.status(), instance, &instances)),
            Err(Unreachable::Unfinished) => {}
            Err(Unreachable::TooSlow) if is_streaming => {}
            Err(_) => running.end(name, false),
        }
        if outcome.as_ref().map_or(true, |response| cannot_now(response.status())) {
            failed.push(instance.base_url.clone());
        }
        outcome
    }

    fn pick<'a>(
        &self,
        instances: &'a [Arc<Instance>],
        failed: &[String],
        now: Instant,
    ) -> Option<&'a Arc<Instance>> {
        let count = instances.len();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let in_turn = (0..count).map(|step| &instances[(turn + step) % count]);
        let best = in_turn
            .filter(|instance| instance.is_well())
            .min_by_key(|instance| (failed.contains(&instance.base_url), instance.running()));
        // Nobody's request is a trial while there is a way around those that fail.
        best.or_else(|| instances.iter().find(|instance| instance.may_be_tried(now)))
    }

    fn instances(&self) -> Arc<[Arc<Instance>]> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        // Nobody who would tell of a change: there is none.
        if !known.urls.has_changed().unwrap_or(false) {
            return Arc::clone(&known.instances);
        }
        drop(known);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.look_again();
        Arc::clone(&known.instances)
    }
}

impl Known {
    fn new(urls: watch::Receiver<Vec<String>>) -> Self {
        let mut known = Self { instances: Arc::new([]), urls };
        known.look_again();
        known
    }

    /// A process that is still there keeps what is known of it.
    fn look_again(&mut self) {
        let urls = self.urls.borrow_and_update();
        let instance = |url: &String| {
            let known = self.instances.iter().find(|instance| instance.is_at(url));
            known.map_or_else(|| Arc::new(Instance::at(url)), Arc::clone)
        };
        let instances = urls.iter().map(instance).collect();
        drop(urls);
        self.instances = instances;
    }
}

async fn ask(
    instance: &Instance,
    connector: &Https,
    path: &str,
    within: Duration,
) -> Option<(StatusCode, Bytes)> {
    let _running = instance.begin();
    let request = Request::get(path).body(Body::empty()).ok()?;
    let answer = async { read(instance.send(connector, request).await.ok()?).await };
    tokio::time::timeout(within, answer).await.ok().flatten()
}

async fn read(response: Response<Body>) -> Option<(StatusCode, Bytes)> {
    let status = response.status();
    response.into_body().collect().await.ok().map(|body| (status, body.to_bytes()))
}

/// A process that is not ready says so with 503. It is passed over while another is well: what all of them lack, such as
/// their database, is no reason to ask none.
fn counts_as_failure(status: StatusCode, instance: &Arc<Instance>, all: &[Arc<Instance>]) -> bool {
    let is_other_well = || all.iter().any(|other| !Arc::ptr_eq(other, instance) && other.is_well());
    cannot_now(status) && (status != StatusCode::SERVICE_UNAVAILABLE || is_other_well())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(count: usize) -> (Remote, watch::Sender<Vec<String>>) {
        let urls = (0..count).map(|port| format!("http://127.0.0.1:{port}")).collect();
        let (sender, urls) = watch::channel(urls);
        (Remote { known: RwLock::new(Known::new(urls)), turn: AtomicUsize::new(0) }, sender)
    }

    #[test]
    fn who_has_least_to_do_is_asked_and_equals_take_turns() {
        let (remote, _sender) = remote(3);
        let instances = remote.instances();
        let pick = || remote.pick(&instances, &[], Instant::now());
        let running = || pick().unwrap().begin();
        let (first, second, third) = (running(), running(), running());
        assert!(instances.iter().all(|instance| instance.running() == 1));
        drop(second);
        for _ in 0..5 {
            assert_eq!(pick().unwrap().running(), 0);
        }
        drop((first, third));
        assert!(instances.iter().all(|instance| instance.running() == 0));
    }

    #[test]
    fn who_fails_again_and_again_is_passed_over_until_its_pause_is_over() {
        let (remote, _sender) = remote(2);
        let instances = remote.instances();
        let fail = |instance: &Instance| {
            for _ in 0..instance::FAILURES {
                instance.begin().end("order", false);
            }
        };
        let pick = |now| remote.pick(&instances, &[], now).map(|instance| instance.base_url.as_str());
        let (now, well) = (Instant::now(), "http://127.0.0.1:1");
        let later = now + Duration::from_secs(3);
        fail(&instances[0]);
        for at in [now, later] {
            for _ in 0..5 {
                assert_eq!(pick(at), Some(well), "nobody tries it while another one is well");
            }
        }
        assert!(!instances[0].has_had_its_pause(now) && instances[0].has_had_its_pause(later));
        instances[0].take_back();
        assert!(instances[0].is_well());
        instances[0].begin().end("order", false);
        assert!(!instances[0].is_well(), "its first failure is enough");
        let longer = now + Duration::from_millis(1500);
        assert!(!instances[0].has_had_its_pause(longer), "and its pause is longer than the first one");
        fail(&instances[0]);
        assert!(instances[0].has_had_its_pause(later), "what failed meanwhile adds nothing to it");

        instances.iter().for_each(|instance| fail(instance));
        assert!(pick(now).is_none(), "nobody is asked while all of them fail");
        for _ in 0..2 {
            assert!(pick(later).is_some(), "one request tries each");
        }
        assert!(pick(later).is_none(), "and no other meanwhile");
        instances[0].begin().end("order", true);
        assert!(instances[0].is_well());
    }

    #[test]
    fn processes_come_and_go_and_those_that_stay_keep_what_they_have_to_do() {
        let (remote, sender) = remote(2);
        let busy = Arc::clone(&remote.instances()[1]);
        let _running = busy.begin();
        sender.send(vec!["http://127.0.0.1:1/".to_owned(), "http://127.0.0.1:7".to_owned()]).unwrap();
        let instances = remote.instances();
        let now: Vec<_> =
            instances.iter().map(|instance| (instance.base_url.as_str(), instance.running())).collect();
        assert_eq!(now, [("http://127.0.0.1:1", 1), ("http://127.0.0.1:7", 0)]);
        sender.send(Vec::new()).unwrap();
        assert!(remote.pick(&remote.instances(), &[], Instant::now()).is_none());
        drop(sender);
        assert!(remote.instances().is_empty());
    }
}
