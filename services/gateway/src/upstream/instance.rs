//! One process of a service: how much it has to do, and whether it does it.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::body::Body;
use hyper::{
    Request, Response, Uri,
    header::{self, HeaderValue},
};
use quenty_platform::client::Https;

use super::{Unreachable, connections::Connections};

/// It is left alone after so many failures in a row (HU-043).
pub(super) const FAILURES: u32 = 5;
/// First for so long, then twice as long each time that it still fails.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

pub(super) struct Instance {
    pub(super) base_url: String,
    /// Nothing when the URL names none.
    origin: Option<Origin>,
    connections: Arc<Connections>,
    running: AtomicUsize,
    health: Mutex<Health>,
}

/// A URL taken apart, once and not for each request.
struct Origin {
    uri: Uri,
    host: HeaderValue,
}

#[derive(Default)]
struct Health {
    failures: u32,
    pauses: u32,
    left_alone_until: Option<Instant>,
}

/// A request that the process works on.
pub(super) struct Running<'a>(&'a Instance);

impl Instance {
    pub(super) fn at(url: &str) -> Self {
        let base_url = url.trim_end_matches('/').to_owned();
        let origin = Origin::of(&base_url);
        Self {
            base_url,
            origin,
            connections: Arc::default(),
            running: AtomicUsize::new(0),
            health: Mutex::default(),
        }
    }

    /// Sends a request whose URI is a path.
    ///
    /// # Errors
    /// When there is no connection, or it breaks.
    pub(super) async fn send(
        &self,
        connector: &Https,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, Unreachable> {
        let Some(Origin { uri, host }) = &self.origin else {
            let why = format!("{} is not the URL of a process", self.base_url);
            return Err(Unreachable::NotConnected(why));
        };
        request.headers_mut().insert(header::HOST, host.clone());
        self.connections.send(connector, uri, request).await
    }

    pub(super) fn is_at(&self, url: &str) -> bool {
        self.base_url == url.trim_end_matches('/')
    }

    pub(super) fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    pub(super) fn is_well(&self) -> bool {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).left_alone_until.is_none()
    }

    /// Whether it has been left alone for as long as it shall be.
    pub(super) fn has_had_its_pause(&self, now: Instant) -> bool {
        let health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        health.left_alone_until.is_some_and(|until| until <= now)
    }

    /// As [`Instance::has_had_its_pause`], of one that a request tries: nobody else does until that is known.
    pub(super) fn may_be_tried(&self, now: Instant) -> bool {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = health.left_alone_until.is_some_and(|until| until <= now);
        if is_over {
            health.leave_alone(now);
        }
        is_over
    }

    /// It is ready again, by its own word: it gets requests, and another pause by the first one at which it fails.
    pub(super) fn take_back(&self) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        *health = Health { failures: FAILURES - 1, left_alone_until: None, ..*health };
    }

    pub(super) fn begin(&self) -> Running<'_> {
        self.running.fetch_add(1, Ordering::Relaxed);
        Running(self)
    }

    fn count(&self, name: &'static str, is_well: bool) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        if is_well {
            *health = Health::default();
            return;
        }
        health.failures = health.failures.saturating_add(1);
        // What was under way when it was left alone tells nothing new.
        if health.failures < FAILURES || health.left_alone_until.is_some() {
            return;
        }
        health.leave_alone(Instant::now());
        metrics::counter!("quenty_gateway_instance_left_alone_total", "upstream" => name).increment(1);
        tracing::warn!(
            upstream = name,
            url = self.base_url,
            "a process fails again and again and is left alone"
        );
    }
}

impl Origin {
    fn of(base_url: &str) -> Option<Self> {
        let uri: Uri = base_url.parse().ok()?;
        let host = HeaderValue::from_str(uri.authority()?.as_str()).ok()?;
        uri.scheme()?;
        Some(Self { uri, host })
    }
}

impl Health {
    fn leave_alone(&mut self, now: Instant) {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.pauses.min(8)).min(LONGEST_PAUSE);
        (self.left_alone_until, self.pauses) = (Some(now + pause), self.pauses.saturating_add(1));
    }
}

impl Running<'_> {
    /// A request whose client went away, or broke it off, says nothing of the process: it is dropped without this.
    pub(super) fn end(self, name: &'static str, is_well: bool) {
        self.0.count(name, is_well);
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}
