//! One process of a service: how much it has to do, and whether it does it.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use hyper::{
    Request, Uri,
    header::{self, HeaderValue},
    http::uri::{self, Authority, Scheme},
};

/// It is left alone after so many failures in a row (HU-043).
pub(super) const FAILURES: u32 = 5;
/// First for so long, then twice as long each time that it still fails.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

pub(super) struct Instance {
    pub(super) base_url: String,
    /// Nothing when the URL names none.
    origin: Option<Origin>,
    running: AtomicUsize,
    health: Mutex<Health>,
}

/// A URL taken apart, once and not for each request.
struct Origin {
    scheme: Scheme,
    authority: Authority,
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
        Self { base_url, origin, running: AtomicUsize::new(0), health: Mutex::default() }
    }

    /// Addresses a request, whose URI is a path, to this process; nothing when that has no address.
    pub(super) fn address<B>(&self, request: &mut Request<B>) -> Option<()> {
        let origin = self.origin.as_ref()?;
        let mut parts = std::mem::take(request.uri_mut()).into_parts();
        parts.scheme = Some(origin.scheme.clone());
        parts.authority = Some(origin.authority.clone());
        *request.uri_mut() = Uri::from_parts(parts).ok()?;
        request.headers_mut().insert(header::HOST, origin.host.clone());
        Some(())
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

    /// Whether its pause is over; who is told so tries it, and nobody else until that is known.
    pub(super) fn may_try_again(&self, now: Instant) -> bool {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = health.left_alone_until.is_some_and(|until| until <= now);
        if is_over {
            health.left_alone_until = Some(now + pause(health.pauses));
        }
        is_over
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
        health.failures += 1;
        if health.failures < FAILURES {
            return;
        }
        health.left_alone_until = Some(Instant::now() + pause(health.pauses));
        health.pauses += 1;
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
        let uri::Parts { scheme, authority, .. } = base_url.parse::<Uri>().ok()?.into_parts();
        let authority = authority?;
        let host = HeaderValue::from_str(authority.as_str()).ok()?;
        Some(Self { scheme: scheme?, authority, host })
    }
}

fn pause(before: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << before.min(8)).min(LONGEST_PAUSE)
}

impl Running<'_> {
    /// A request whose client went away says nothing of the process: it is dropped without this.
    pub(super) fn end(self, name: &'static str, is_well: bool) {
        self.0.count(name, is_well);
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}
