//! Spans: pieces of work with a beginning and an end, for a collector of traces where there is one ([`crate::otlp`]).
//! Names and attributes are those of OpenTelemetry's semantic conventions.
//!
//! What stands in a span is ours: templates of routes, types of events, statuses, ids of events. Never a path, a query, a
//! header or a message: people write into those.

pub use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

use axum::http::Method;
use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::{Span as Message, Status, status::StatusCode},
};
use quenty_kernel::{Envelope, clock::wall_now};

use crate::{
    http::method_label,
    otlp,
    trace::{self, TraceParent},
};

/// A piece of work under way. It ends when it is dropped.
#[derive(Debug)]
#[must_use = "a span that is dropped at once has ended at once"]
pub struct Span {
    context: TraceParent,
    /// `None` where nobody is to see it: then all of this costs two random numbers.
    message: Option<Box<Message>>,
    service: &'static str,
}

impl Span {
    /// What was sent along is continued; a trace begins where nothing was.
    pub fn begin(service: &'static str, kind: SpanKind, sent: Option<&str>) -> Self {
        match sent.and_then(TraceParent::parse) {
            Some(parent) => Self::child_of(parent, service, kind),
            None => Self::new(TraceParent::root(), None, service, kind),
        }
    }

    /// As [`Span::begin`], where no trace begins: without one, this is nobody's to see. Who asks without one are
    /// processes that look for health, keys and metrics, several times a second.
    pub(crate) fn joining(service: &'static str, kind: SpanKind, sent: Option<&str>) -> Self {
        match sent.and_then(TraceParent::parse) {
            Some(parent) => Self::child_of(parent, service, kind),
            None => Self { context: TraceParent::unseen(), message: None, service },
        }
    }

    /// A part of the work that runs here; of a trace of its own where nothing has begun one.
    pub(crate) fn here(service: &'static str, kind: SpanKind) -> Self {
        match trace::here() {
            Some(parent) => Self::child_of(parent, service, kind),
            None => Self::begin(service, kind, None),
        }
    }

    pub fn child_of(parent: TraceParent, service: &'static str, kind: SpanKind) -> Self {
        Self::new(parent.child(), Some(parent), service, kind)
    }

    fn new(context: TraceParent, parent: Option<TraceParent>, service: &'static str, kind: SpanKind) -> Self {
        let message = (context.is_sampled() && otlp::is_collecting()).then(|| {
            Box::new(Message {
                trace_id: context.trace_bytes().to_vec(),
                span_id: context.span_bytes().to_vec(),
                parent_span_id: parent.map_or_else(Vec::new, |parent| parent.span_bytes().to_vec()),
                flags: 1,
                kind: kind.into(),
                start_time_unix_nano: now(),
                ..Message::default()
            })
        });
        Self { context, message, service }
    }

    /// What goes along with calls and events of this work.
    #[must_use]
    pub fn context(&self) -> TraceParent {
        self.context
    }

    #[must_use]
    pub fn is_seen(&self) -> bool {
        self.message.is_some()
    }

    /// Nobody is to see it after all.
    pub fn forget(&mut self) {
        self.message = None;
    }

    /// Names it; out of few names, for collectors count by them.
    pub fn name(&mut self, name: impl FnOnce() -> String) {
        if let Some(message) = &mut self.message {
            message.name = name();
        }
    }

    pub fn text(&mut self, key: &'static str, value: impl AsRef<str>) {
        if let Some(message) = &mut self.message {
            message.attributes.push(text(key, value.as_ref()));
        }
    }

    pub fn number(&mut self, key: &'static str, value: i64) {
        if let Some(message) = &mut self.message {
            message.attributes.push(attribute(key, Value::IntValue(value)));
        }
    }

    /// It failed, for a reason out of few: a status, or a code of ours.
    pub fn fail(&mut self, reason: &str) {
        self.text("error.type", reason);
        if let Some(message) = &mut self.message {
            message.status = Some(Status { code: StatusCode::Error.into(), ..Status::default() });
        }
    }

    /// A request that this work answers: the method, as far as it is a known one, and the template of its path.
    pub fn serves(&mut self, method: &Method, route: &str) {
        self.exchanges(method, "http.route", route);
    }

    /// A request that this work sends to a sibling.
    pub fn asks(&mut self, sibling: &str, method: &Method, template: &str) {
        self.exchanges(method, "url.template", template);
        self.text("service.peer.name", sibling);
    }

    fn exchanges(&mut self, method: &Method, key: &'static str, template: &str) {
        let (name, method) = match method_label(method) {
            "other" => ("HTTP", "_OTHER"),
            known => (known, known),
        };
        self.name(|| format!("{name} {template}").trim_end().to_owned());
        self.text("http.request.method", method);
        self.text(key, template);
    }

    /// An event on its way through the bus (`messaging.system`): it is sent, or processed.
    pub(crate) fn moves(&mut self, system: &str, operation: &str, event: &Envelope) {
        self.name(|| format!("{operation} {}", event.kind));
        self.text("messaging.system", system);
        self.text("messaging.operation.name", operation);
        self.text("messaging.operation.type", operation);
        self.text("messaging.destination.name", &event.kind);
        if self.is_seen() {
            self.text("messaging.message.id", event.id.to_string());
        }
    }

    /// The answer of a server (`http.response.status_code`): what is below this status is no failure of this work.
    pub fn answered(&mut self, status: u16, fails_from: u16) {
        self.number("http.response.status_code", status.into());
        if status >= fails_from && self.is_seen() {
            self.fail(&status.to_string());
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let Some(mut message) = self.message.take() {
            message.end_time_unix_nano = now().max(message.start_time_unix_nano);
            otlp::collect(self.service, message);
        }
    }
}

pub(crate) fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn now() -> u64 {
    wall_now().as_nanosecond().try_into().unwrap_or_default()
}
