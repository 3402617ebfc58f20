//! W3C Trace Context: one `traceparent` follows a request through HTTP, events and tasks.

use std::fmt;

use rand::Rng;
use tracing::Instrument;

use crate::otlp;

tokio::task_local! {
    /// Of the request, event or task that runs here: nobody has to hand it through to a call of another service.
    static CURRENT: TraceParent;
}

/// Runs work as part of a trace: its log lines carry the trace, and so do its calls of other services.
pub(crate) async fn within<T>(trace: TraceParent, span: tracing::Span, work: impl Future<Output = T>) -> T {
    CURRENT.scope(trace, work).instrument(span).await
}

/// As [`within`], for work that has no log lines of its own.
pub async fn part_of<T>(trace: TraceParent, work: impl Future<Output = T>) -> T {
    CURRENT.scope(trace, work).await
}

/// The trace that the present work belongs to, if anything has begun one.
pub(crate) fn here() -> Option<TraceParent> {
    CURRENT.try_with(|trace| *trace).ok()
}

/// As [`here`]; a new one where nothing has begun one.
pub(crate) fn current() -> TraceParent {
    here().unwrap_or_else(TraceParent::root)
}

/// `00-<trace id>-<span id>-<flags>` (W3C Trace Context, level 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    trace_id: u128,
    span_id: u64,
    sampled: bool,
}

impl TraceParent {
    /// A new trace; of those that a collector is to see, as many as the settings say.
    #[must_use]
    pub fn root() -> Self {
        let mut random = rand::rng();
        let trace_id = random.random_range(1..=u128::MAX);
        Self { trace_id, span_id: random.random_range(1..=u64::MAX), sampled: otlp::is_sampled(trace_id) }
    }

    /// A new trace that no collector is to see.
    #[must_use]
    pub(crate) fn unseen() -> Self {
        Self { sampled: false, ..Self::root() }
    }

    /// A new span of the same trace.
    #[must_use]
    pub fn child(self) -> Self {
        Self { span_id: rand::rng().random_range(1..=u64::MAX), ..self }
    }

    /// Reads the header; anything malformed counts as absent, as the standard asks.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let lower_hex = |s: &str| s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        // Later versions may say more.
        if version.len() != 2
            || version == "ff"
            || (version == "00" && parts.next().is_some())
            || trace.len() != 32
            || span.len() != 16
            || flags.len() != 2
            || ![version, trace, span, flags].into_iter().all(lower_hex)
        {
            return None;
        }
        let trace_id = u128::from_str_radix(trace, 16).ok().filter(|id| *id != 0)?;
        let span_id = u64::from_str_radix(span, 16).ok().filter(|id| *id != 0)?;
        Some(Self { trace_id, span_id, sampled: u8::from_str_radix(flags, 16).ok()? & 1 == 1 })
    }

    #[must_use]
    pub fn trace_id(self) -> String {
        let mut digits = [0; 32];
        write_hex(&mut digits, &self.trace_bytes());
        String::from_utf8_lossy(&digits).into_owned()
    }

    /// Whether a collector is to see it: what whoever began the trace decided, for all of its parts.
    pub(crate) fn is_sampled(self) -> bool {
        self.sampled
    }

    pub(crate) fn trace_bytes(self) -> [u8; 16] {
        self.trace_id.to_be_bytes()
    }

    pub(crate) fn span_bytes(self) -> [u8; 8] {
        self.span_id.to_be_bytes()
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        write_hex(&mut text[3..35], &self.trace_bytes());
        write_hex(&mut text[36..52], &self.span_bytes());
        write_hex(&mut text[53..], &[self.sampled.into()]);
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

/// Two digits for each byte. The formatter takes several times as long, and this is done for every request.
fn write_hex(digits: &mut [u8], bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_it_writes_and_a_child_keeps_the_trace() {
        let root = TraceParent::root();
        assert_eq!(TraceParent::parse(&root.to_string()), Some(root));
        assert_eq!(root.child().trace_id(), root.trace_id());
        assert_ne!(root.child(), root);
    }

    #[test]
    fn malformed_headers_count_as_absent() {
        for text in [
            "",
            "00-0-0-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceParent::parse(text), None, "{text}");
        }
    }
}
