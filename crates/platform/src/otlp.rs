//! Traces to a collector: OTLP over HTTP in protobuf, as Jaeger and the OpenTelemetry Collector take it.
//!
//! Nothing that serves waits for it. Spans go into a bounded queue, one task sends them by the batch, and what finds no
//! place or is not taken in time is counted (`quenty_spans_dropped_total`) and gone.

use std::{collections::BTreeMap, sync::OnceLock, time::Duration};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use bytes::Bytes;
use http_body_util::Full;
use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    common::v1::InstrumentationScope,
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use percent_encoding::percent_decode_str;
use prost::Message;
use quenty_kernel::id::new_uuid;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Error, Result,
    client::Transport,
    settings::{Settings, SettingsError},
    span,
};

/// About eight megabytes of spans.
const QUEUE: usize = 8192;
const BATCH: usize = 512;
/// How long a span waits for others.
const GATHER: Duration = Duration::from_secs(1);
/// As OpenTelemetry's exporters wait.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// Pauses before a batch is sent again; then it is given up.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];
/// A collector that hangs keeps no process from its end.
const FLUSH_LIMIT: Duration = Duration::from_secs(3);
const NAMESPACE: &str = "quenty";

static COLLECTING: OnceLock<Collecting> = OnceLock::new();

/// Where spans go; global, as the recorders of logs and metrics are.
struct Collecting {
    queue: mpsc::Sender<Item>,
    /// Traces that begin here are seen if the lower half of their id, without its last bit, is below this.
    below: u64,
}

enum Item {
    Span(&'static str, Box<Span>),
    Flush(oneshot::Sender<()>),
}

/// The export of this process; without a collector it does nothing.
#[must_use = "what is not ended loses the last spans"]
pub struct Traces {
    ending: CancellationToken,
    exporting: Option<JoinHandle<()>>,
}

/// Whether a trace that begins here is for the collector. Without one, whoever comes after decides.
pub(crate) fn is_sampled(trace_id: u128) -> bool {
    COLLECTING.get().is_none_or(|collecting| (trace_id as u64) >> 1 < collecting.below)
}

/// Whether traces of this process go anywhere.
pub fn is_collecting() -> bool {
    COLLECTING.get().is_some()
}

/// Puts what has ended into the queue, or drops it.
pub(crate) fn collect(service: &'static str, span: Box<Span>) {
    let Some(collecting) = COLLECTING.get() else { return };
    if collecting.queue.try_send(Item::Span(service, span)).is_err() {
        dropped("queue", 1);
    }
}

fn dropped(why: &'static str, spans: u64) {
    metrics::counter!("quenty_spans_dropped_total", "reason" => why).increment(spans);
}

impl Traces {
    /// Begins the export if the settings name a collector; once in a process.
    ///
    /// # Errors
    /// When a setting cannot be meant, or a file of certificates is unfit.
    pub fn start(settings: &Settings) -> Result<Self> {
        let ending = CancellationToken::new();
        if settings.get("otlp_endpoint").is_none() {
            return Ok(Self { ending, exporting: None });
        }
        let exporter = Exporter::of(settings, ending.clone())?;
        let (queue, spans) = mpsc::channel(QUEUE);
        let below = ratio(settings).map_err(Error::internal)?;
        if COLLECTING.set(Collecting { queue, below }).is_err() {
            return Err(Error::internal("traces of this process are exported already"));
        }
        #[expect(clippy::disallowed_methods, reason = "Traces::end waits for it")]
        let exporting = tokio::spawn(exporter.run(spans));
        Ok(Self { ending, exporting: Some(exporting) })
    }

    /// Sends what is left, for three seconds at most. What ends later is dropped.
    pub async fn end(self) {
        let (Some(exporting), Some(collecting)) = (self.exporting, COLLECTING.get()) else { return };
        self.ending.cancel();
        let flush = async {
            let (done, flushed) = oneshot::channel();
            if collecting.queue.send(Item::Flush(done)).await.is_ok() {
                // An error means that the exporter is gone, and with it what it had.
                drop(flushed.await);
            }
        };
        if timeout(FLUSH_LIMIT, flush).await.is_err() {
            tracing::warn!("the last traces were not taken within {FLUSH_LIMIT:?}");
        }
        exporting.abort();
    }
}

/// The share of new traces that the collector sees, as the bound of [`Collecting::below`].
fn ratio(settings: &Settings) -> Result<u64, SettingsError> {
    let ratio: f64 = settings.parse("otlp_sample_ratio")?;
    Ok((ratio.clamp(0.0, 1.0) * (1_u64 << 63) as f64) as u64)
}

struct Exporter {
    transport: Transport,
    uri: Uri,
    headers: HeaderMap,
    instance: String,
    ending: CancellationToken,
}

/// Why a batch was not taken.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("{0}")]
    ForNow(String),
    #[error("it answers {0}")]
    ForGood(StatusCode),
}

impl Exporter {
    fn of(settings: &Settings, ending: CancellationToken) -> Result<Self> {
        let endpoint = settings.require("otlp_endpoint").map_err(Error::internal)?;
        let uri = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
        Ok(Self {
            transport: Transport::from_settings(settings)?.to_infrastructure(),
            uri: uri.parse().map_err(Error::internal)?,
            headers: headers(settings.get("otlp_headers").unwrap_or_default())?,
            instance: new_uuid().to_string(),
            ending,
        })
    }

    async fn run(self, mut queue: mpsc::Receiver<Item>) {
        let mut is_away = false;
        while let Some(first) = queue.recv().await {
            let (batch, flushed) = gather(first, &mut queue).await;
            if !batch.is_empty() {
                is_away = self.export(batch, is_away).await;
            }
            if let Some(flushed) = flushed {
                // An error only means that nobody waits any more.
                let _ = flushed.send(());
            }
        }
    }

    /// Sends a batch, again if need be, or gives it up; whether the collector is away.
    async fn export(&self, batch: Vec<(&'static str, Span)>, was_away: bool) -> bool {
        let spans = batch.len() as u64;
        let body = Bytes::from(self.request(batch).encode_to_vec());
        let mut pauses = PAUSES.iter();
        let error = loop {
            match self.send(body.clone()).await {
                Ok(rejected) => {
                    let rejected = rejected.min(spans);
                    dropped("rejected", rejected);
                    metrics::counter!("quenty_spans_exported_total").increment(spans - rejected);
                    return false;
                }
                Err(error @ Refused::ForGood(_)) => break error,
                Err(error) => match pauses.next() {
                    // One that was away a moment ago is asked once: its spans would only crowd out newer ones.
                    Some(pause) if !was_away && !self.ending.is_cancelled() => {
                        tokio::select! {
                            () = self.ending.cancelled() => {}
                            () = sleep(*pause) => {}
                        }
                    }
                    _ => break error,
                },
            }
        };
        dropped("collector", spans);
        // Once per outage: an operator wants to know that, not how often.
        if !was_away {
            tracing::warn!(%error, "the collector of traces takes none; they are dropped");
        }
        true
    }

    /// How many spans the collector did not want.
    async fn send(&self, body: Bytes) -> Result<u64, Refused> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        let answer = self.transport.send(request, ANSWER_LIMIT).await;
        let answer = answer.map_err(|error| Refused::ForNow(error.to_string()))?;
        match answer.status() {
            status if status.is_success() => {
                let told = ExportTraceServiceResponse::decode(answer.into_body()).unwrap_or_default();
                let rejected = told.partial_success.map_or(0, |partial| partial.rejected_spans);
                Ok(rejected.try_into().unwrap_or_default())
            }
            // Those that may be tried again, by OTLP.
            status @ (StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT) => Err(Refused::ForNow(format!("it answers {status}"))),
            status => Err(Refused::ForGood(status)),
        }
    }

    /// A process may hold several services; a collector knows each by its own name.
    fn request(&self, batch: Vec<(&'static str, Span)>) -> ExportTraceServiceRequest {
        let mut by_service: BTreeMap<&'static str, Vec<Span>> = BTreeMap::new();
        for (service, span) in batch {
            by_service.entry(service).or_default().push(span);
        }
        let resource_spans = by_service.into_iter().map(|(service, spans)| ResourceSpans {
            resource: Some(self.resource(service)),
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope {
                    name: env!("CARGO_PKG_NAME").to_owned(),
                    version: env!("CARGO_PKG_VERSION").to_owned(),
                    ..InstrumentationScope::default()
                }),
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        });
        ExportTraceServiceRequest { resource_spans: resource_spans.collect() }
    }

    fn resource(&self, service: &str) -> Resource {
        let attributes = [
            ("service.name", service),
            ("service.namespace", NAMESPACE),
            ("service.version", env!("CARGO_PKG_VERSION")),
            ("service.instance.id", &self.instance),
        ];
        let attributes = attributes.into_iter().map(|(key, value)| span::text(key, value)).collect();
        Resource { attributes, ..Resource::default() }
    }
}

/// What ends within a moment goes together. Whoever asked for a flush is told once that is sent.
async fn gather(
    first: Item,
    queue: &mut mpsc::Receiver<Item>,
) -> (Vec<(&'static str, Span)>, Option<oneshot::Sender<()>>) {
    let until = Instant::now() + GATHER;
    let (mut batch, mut next) = (Vec::new(), Some(first));
    loop {
        match next {
            Some(Item::Span(service, span)) => batch.push((service, *span)),
            Some(Item::Flush(done)) => return (batch, Some(done)),
            None => return (batch, None),
        }
        if batch.len() >= BATCH {
            return (batch, None);
        }
        next = tokio::select! {
            item = queue.recv() => item,
            () = sleep_until(until) => None,
        };
    }
}

/// `name=value` pairs with commas between them, values percent-encoded, as `OTEL_EXPORTER_OTLP_HEADERS` has them.
fn headers(text: &str) -> Result<HeaderMap> {
    let mut headers =
        HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"))]);
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        // Nothing of it is repeated: what stands here are keys.
        let unfit = || Error::internal("QUENTY_OTLP_HEADERS is not like name=value,name=value");
        let (name, value) = pair.split_once('=').ok_or_else(unfit)?;
        let value = percent_decode_str(value.trim()).decode_utf8().map_err(|_| unfit())?;
        let name = HeaderName::try_from(name.trim()).map_err(|_| unfit())?;
        let mut value = HeaderValue::try_from(&*value).map_err(|_| unfit())?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_the_standard_variable_has_them_and_never_repeated() {
        let read = headers("authorization=Basic%20aHVzaA==, x-tenant = quenty").unwrap();
        assert_eq!(read["authorization"], "Basic aHVzaA==");
        assert_eq!(read["x-tenant"], "quenty");
        assert_eq!(read["content-type"], "application/x-protobuf");
        for unfit in ["hush", "hush hush=1", "x=%0ahush"] {
            let error = headers(unfit).unwrap_err().to_string();
            assert!(!error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn the_share_of_traces_is_what_was_asked_for() {
        let below = |text: &str| {
            let settings = Settings::load(&[crate::settings::CHASSIS], None, std::iter::empty()).unwrap();
            ratio(&settings.with("otlp_sample_ratio", text)).unwrap()
        };
        assert_eq!((below("0"), below("1")), (0, 1 << 63));
        assert_eq!(below("0.25"), 1 << 61);
        assert_eq!(below("7"), 1 << 63);
    }
}
