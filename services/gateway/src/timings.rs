//! How long requests take, for each route, method and status.

use std::sync::{Arc, PoisonError, RwLock};

use hyper::Method;
use metrics::Histogram;
use quenty_platform::http::method_label;

/// Those of one route. Each is looked up once, by all of its labels, and not again for each request.
#[derive(Debug)]
pub(crate) struct Timings {
    /// The template of its path, for logs and metrics: what clients choose themselves stands in neither.
    pub(crate) route: Arc<str>,
    known: RwLock<Vec<Timing>>,
}

#[derive(Debug)]
struct Timing {
    method: &'static str,
    status: u16,
    seconds: Histogram,
}

impl Timings {
    pub(crate) fn of(route: impl Into<Arc<str>>) -> Self {
        Self { route: route.into(), known: RwLock::default() }
    }

    pub(crate) fn record(&self, method: &Method, status: u16, seconds: f64) {
        let method = method_label(method);
        let is_it = |timing: &&Timing| timing.method == method && timing.status == status;
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(timing) = known.iter().find(is_it) {
            return timing.seconds.record(seconds);
        }
        drop(known);
        let histogram = metrics::histogram!("quenty_http_request_seconds", "service" => "gateway", "route" => Arc::clone(&self.route), "method" => method, "status" => status.to_string());
        histogram.record(seconds);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if !known.iter().any(|timing| is_it(&timing)) {
            known.push(Timing { method, status, seconds: histogram });
        }
    }
}
