//! A collector of traces: takes OTLP over HTTP in protobuf, and remembers it. Where `QUENTY_TEST_OTLP_RECEIVER` names
//! another one (`make test-otlp`: the project's own messages, read by its Python package), that is asked instead.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use bytes::Bytes;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::status::StatusCode as Outcome,
};
use prost::Message;
use quenty_kernel::hex;
use quenty_platform::client::Transport;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

const LIMIT: Duration = Duration::from_secs(10);

/// A span, as far as tests ask about it; ids in hexadecimal.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
pub struct Seen {
    pub service: String,
    pub name: String,
    pub trace: String,
    pub span: String,
    /// Empty at the root of a trace.
    pub parent: String,
    pub kind: i32,
    pub failed: bool,
    pub attributes: BTreeMap<String, String>,
}

pub struct Collector {
    pub url: String,
    inside: Inside,
    /// Nothing is asked of this process then.
    is_elsewhere: bool,
    _stop: DropGuard,
}

#[derive(Clone, Default)]
struct Inside {
    seen: Arc<Mutex<Vec<Seen>>>,
    hangs: Arc<AtomicBool>,
}

impl Collector {
    pub async fn start() -> Self {
        let (stop, inside) = (CancellationToken::new(), Inside::default());
        if let Some(url) =
            std::env::var_os("QUENTY_TEST_OTLP_RECEIVER").and_then(|url| url.into_string().ok())
        {
            return Self { url, inside, is_elsewhere: true, _stop: stop.drop_guard() };
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound address"));
        let router = Router::new().route("/v1/traces", post(take)).with_state(inside.clone());
        let ended = stop.clone().cancelled_owned();
        #[expect(clippy::disallowed_methods, reason = "ends with the test, by its token")]
        tokio::spawn(async move { axum::serve(listener, router).with_graceful_shutdown(ended).await });
        Self { url, inside, is_elsewhere: false, _stop: stop.drop_guard() }
    }

    /// From now on it takes what comes and never answers.
    pub fn hang(&self) {
        self.inside.hangs.store(true, Ordering::SeqCst);
    }

    /// The spans that have come, in their order.
    pub async fn seen(&self) -> Vec<Seen> {
        if self.is_elsewhere {
            return Transport::default().get_json(&self.url, LIMIT).await.expect("the receiver answers");
        }
        self.inside.seen.lock().expect("nobody panicked").clone()
    }
}

async fn take(State(inside): State<Inside>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if inside.hangs.load(Ordering::SeqCst) {
        std::future::pending::<()>().await;
    }
    if headers.get("content-type").is_none_or(|kind| kind != "application/x-protobuf") {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE;
    }
    let Ok(request) = ExportTraceServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
    let mut seen = inside.seen.lock().expect("nobody panicked");
    for of_one in request.resource_spans {
        let resource = attributes(of_one.resource.unwrap_or_default().attributes);
        let service = resource.get("service.name").cloned().unwrap_or_default();
        seen.extend(of_one.scope_spans.into_iter().flat_map(|scope| scope.spans).map(|span| Seen {
            service: service.clone(),
            name: span.name,
            trace: hex(&span.trace_id),
            span: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            kind: span.kind,
            failed: span.status.is_some_and(|status| status.code == i32::from(Outcome::Error)),
            attributes: attributes(span.attributes),
        }));
    }
    StatusCode::OK
}

fn attributes(pairs: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |value| match value {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("{other:?} is none of our attributes"),
    };
    pairs.into_iter().map(|pair| (pair.key, text(pair.value.and_then(|value| value.value)))).collect()
}
