//! Logs and metrics of a process. Both recorders are global: services tell themselves apart by a label.

use std::{sync::OnceLock, thread, time::Duration};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{
    EnvFilter, Registry,
    layer::SubscriberExt,
    reload::{self, Handle},
    util::SubscriberInitExt,
};

use crate::settings::SettingsError;

static FILTER: OnceLock<Handle<EnvFilter, Registry>> = OnceLock::new();
static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();
/// How often what was measured is folded into the histograms: between two times it is kept one by one.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);
/// lapin writes out what the broker returns, personal data in it; the bus reports returned events by itself.
const NEVER_LOGGED: &str = "lapin::returned_messages=off";
const SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Starts logging (JSON unless at a terminal) and metrics; a second call changes nothing.
pub fn start(filter: &str) {
    let filter = filter_of(filter).unwrap_or_else(|_| EnvFilter::new(format!("info,{NEVER_LOGGED}")));
    let (filter, handle) = reload::Layer::new(filter);
    let registry = tracing_subscriber::registry().with(filter);
    drop(FILTER.set(handle));
    // A line that cannot be written is not told about: telling it on the same stderr would panic.
    let lines = tracing_subscriber::fmt::layer().log_internal_errors(false).with_writer(std::io::stderr);
    if std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        drop(registry.with(lines.compact()).try_init());
    } else {
        drop(registry.with(lines.json()).try_init());
    }
    METRICS.get_or_init(|| {
        let builder = PrometheusBuilder::new();
        let builder = builder
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)
            .unwrap_or_else(|_| PrometheusBuilder::new());
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        drop(metrics::set_global_recorder(recorder));
        keep_up(handle.clone());
        handle
    });
}

/// Logs by another filter from now on.
///
/// # Errors
/// When it is none.
pub fn log_by(filter: &str) -> Result<(), SettingsError> {
    let new = filter_of(filter)?;
    FILTER.get().map_or(Ok(()), |handle| handle.reload(new)).map_err(|error| bad(filter, &error))
}

fn filter_of(text: &str) -> Result<EnvFilter, SettingsError> {
    EnvFilter::try_new(format!("{text},{NEVER_LOGGED}")).map_err(|error| bad(text, &error))
}

fn bad(filter: &str, why: &dyn std::fmt::Display) -> SettingsError {
    SettingsError::Bad { key: "QUENTY_LOG".to_owned(), value: filter.to_owned(), why: why.to_string() }
}

/// The metrics of this process in Prometheus's text format.
pub async fn render() -> String {
    METRICS.get().map(PrometheusHandle::render).unwrap_or_default()
}

fn keep_up(handle: PrometheusHandle) {
    let upkeep = move || {
        loop {
            thread::sleep(UPKEEP_EVERY);
            handle.run_upkeep();
        }
    };
    if let Err(error) = thread::Builder::new().name("metrics".to_owned()).spawn(upkeep) {
        tracing::warn!(%error, "metrics take more and more memory until they are read");
    }
}
