//! The body of a request, read and checked before any service hears of it: its media type, its size, how fast it comes,
//! how deep it is, its shape as the operation's description tells it, and that it holds no card number.
//!
//! Files stream through: their service reads them piece by piece. All else is read first, also where nothing is expected.
//! What a service's own types say of values (lengths, ranges, patterns) is theirs to tell, in words that fit the field;
//! what is refused here they would refuse, too.

mod cards;
mod schema;

use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::{Request, body::Body as _, header, http::request::Parts};
use quenty_kernel::{Failure, FieldError, Kind};
use quenty_platform::settings::{Settings, SettingsError};
use serde::Deserialize;
use serde_json::Value;

use self::schema::Schema;
use crate::upstream::Description;

/// As the services allow.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// Deeper than that serde_json does not read.
const DEEPEST: usize = 127;
/// So many fields that do not fit are named at most, and no more of them after so many letters: a body may have hundreds of
/// thousands, each below names that are as long as the body.
const MOST_NAMED: usize = 50;
const ENOUGH_LETTERS: usize = 4096;

/// How much is read.
#[derive(Debug)]
pub(crate) struct Bounds {
    bytes: usize,
    depth: usize,
}

impl Bounds {
    /// # Errors
    /// When a setting is no number.
    pub(crate) fn of(settings: &Settings) -> Result<Self, SettingsError> {
        Ok(Self {
            bytes: settings.parse("max_body_bytes")?,
            depth: settings.parse::<usize>("max_json_depth")?.min(DEEPEST),
        })
    }
}

/// What an operation says of its body.
#[derive(Debug)]
pub(crate) enum Expected {
    Nothing,
    File,
    Json {
        schema: Schema,
        /// Other media types that it takes.
        others: Vec<String>,
        is_required: bool,
        is_payment: bool,
    },
}

/// A request on its way inward.
pub(crate) struct Outgoing {
    pub(crate) parts: Parts,
    pub(crate) content: Content,
}

pub(crate) enum Content {
    /// May be sent again.
    Whole(Bytes),
    Streaming(Body),
}

impl From<Outgoing> for Request<Body> {
    fn from(outgoing: Outgoing) -> Self {
        let body = match outgoing.content {
            Content::Whole(bytes) => Body::from(bytes),
            Content::Streaming(body) => body,
        };
        Self::from_parts(outgoing.parts, body)
    }
}

impl Expected {
    /// What the description of the operation `method` of the path `template` says.
    pub(crate) fn of(description: &Description, template: &str, method: &str, operation: &Value) -> Self {
        let body = &operation["requestBody"];
        let Some(content) = body["content"].as_object() else { return Self::Nothing };
        if !content.contains_key(schema::JSON) {
            return Self::File;
        }
        Self::Json {
            schema: Schema::of_body(description, template, method),
            others: content.keys().filter(|kind| *kind != schema::JSON).cloned().collect(),
            is_required: body["required"] == true,
            is_payment: cards::is_about_payment(template),
        }
    }

    /// Reads the body of a request as far as it has to be known.
    ///
    /// # Errors
    /// 400, 408, 413, 415 and 422, as the services tell them.
    pub(crate) async fn read(&self, bounds: &Bounds, request: Request<Body>) -> Result<Outgoing, Failure> {
        let (parts, body) = request.into_parts();
        let is_empty = body.is_end_stream();
        let (schema, others, is_payment) = match self {
            Self::Json { schema, others, is_required, is_payment } if *is_required || !is_empty => {
                (schema, others, *is_payment)
            }
            _ if is_empty => return Ok(Outgoing { parts, content: Content::Whole(Bytes::new()) }),
            Self::File => return Ok(Outgoing { parts, content: Content::Streaming(body) }),
            _ => {
                let content = Content::Whole(collect(body, bounds.bytes).await?);
                return Ok(Outgoing { parts, content });
            }
        };
        let kind = essence(&parts);
        let is_json = is_json(&kind);
        if !is_json && !others.contains(&kind) {
            let detail = "send JSON, with Content-Type: application/json";
            return Err(Failure::new(Kind::UnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", detail));
        }
        let bytes = collect(body, bounds.bytes).await?;
        if is_json {
            check(&bytes, bounds.depth, schema, is_payment)?;
        }
        Ok(Outgoing { parts, content: Content::Whole(bytes) })
    }
}

fn essence(parts: &Parts) -> String {
    let kind =
        parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn is_json(kind: &str) -> bool {
    kind == schema::JSON || (kind.starts_with("application/") && kind.ends_with("+json"))
}

async fn collect(body: Body, limit: usize) -> Result<Bytes, Failure> {
    let collected = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, limit).collect()).await;
    let collected = collected.map_err(|_| {
        Failure::new(Kind::Timeout, "BODY_TOO_SLOW", format!("a body must arrive within {BODY_TIMEOUT:?}"))
    })?;
    match collected {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => {
            Err(Failure::new(Kind::TooLarge, "BODY_TOO_LARGE", format!("a body may have {limit} bytes")))
        }
        Err(_) => Err(broken_off()),
    }
}

/// Of a client who did not send all of its request, or not as it said.
pub(crate) fn broken_off() -> Failure {
    Failure::new(Kind::Malformed, "UNREADABLE_BODY", "the body broke off")
}

fn check(bytes: &[u8], depth: usize, schema: &Schema, is_payment: bool) -> Result<(), Failure> {
    if is_deeper(bytes, depth) {
        return Err(unfit(vec![FieldError {
            pointer: String::new(),
            code: "INVALID_FIELD",
            detail: format!("JSON may be nested {depth} deep"),
        }]));
    }
    let malformed =
        |error| Failure::new(Kind::Malformed, "MALFORMED_JSON", format!("the body is not JSON: {error}"));
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let body = Value::deserialize(&mut reader).map_err(malformed)?;
    let errors = schema.errors(&body, bytes.len());
    if !errors.is_empty() {
        return Err(unfit(errors));
    }
    reader.end().map_err(malformed)?;
    let cards = cards::find(&body, is_payment);
    if cards.is_empty() {
        return Ok(());
    }
    metrics::counter!("quenty_gateway_card_numbers_refused_total").increment(1);
    let detail = "this looks like the number of a payment card; take payments through your payment provider and send its reference";
    let error = |pointer| FieldError { pointer, code: "CARD_NUMBER", detail: detail.to_owned() };
    Err(Failure {
        errors: cards.into_iter().map(error).collect(),
        ..Failure::new(
            Kind::Invalid,
            "CARD_NUMBER",
            "card numbers are never taken, nor kept; `errors` names the fields that seem to hold one",
        )
    })
}

/// Whether an answer that names these fields names enough of them.
fn are_enough<'a>(pointers: impl ExactSizeIterator<Item = &'a String>) -> bool {
    pointers.len() >= MOST_NAMED || pointers.map(String::len).sum::<usize>() > ENOUGH_LETTERS
}

fn unfit(errors: Vec<FieldError>) -> Failure {
    Failure {
        errors,
        ..Failure::new(
            Kind::Invalid,
            "INVALID_BODY",
            "the body does not fit this operation; `errors` names the fields",
        )
    }
}

/// Whether brackets stand in one another more than `limit` deep: seen before anything is built of them.
fn is_deeper(bytes: &[u8], limit: usize) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_counted_outside_of_texts() {
        assert!(!is_deeper(br#"{"a": [1, {"b": "[[[[[\"[[["}]}"#, 3));
        assert!(is_deeper(br#"{"a": [1, {"b": 1}]}"#, 2));
        assert!(!is_deeper(br#"[[], [], [], []]"#, 2));
    }
}
