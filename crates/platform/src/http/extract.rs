//! Extractors whose refusals are problem documents that name the field.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
};
use quenty_kernel::{Failure, FieldError, Kind};
use serde::de::DeserializeOwned;

use crate::Error;

/// What a body is said to be, in lower case and without parameters; empty when nothing is said.
#[must_use]
pub fn media_type(headers: &HeaderMap) -> String {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A JSON body. Unknown fields, wrong types and values that a type refuses are 422 with the field's pointer;
/// text that is not JSON is 400.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let kind = media_type(request.headers());
        if kind != "application/json" && !(kind.starts_with("application/") && kind.ends_with("+json")) {
            return Err(Failure::new(
                Kind::UnsupportedMediaType,
                "UNSUPPORTED_MEDIA_TYPE",
                "send JSON, with Content-Type: application/json",
            )
            .into());
        }
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|e| Failure::new(Kind::Malformed, "UNREADABLE_BODY", e.body_text()))?;
        parse(&body).map(Self)
    }
}

impl<T: serde::Serialize> axum::response::IntoResponse for Json<T> {
    fn into_response(self) -> axum::response::Response {
        axum::Json(self.0).into_response()
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let (mut track, mut unread) = (serde_path_to_error::Track::new(), Vec::new());
    let tracked = serde_path_to_error::Deserializer::new(&mut reader, &mut track);
    let read = serde_ignored::deserialize(tracked, |path| unread.push(ignored_pointer(&path)));
    let value = read.map_err(|error| {
        // serde_json takes a number where an enum should stand for a mistake of syntax.
        if error.is_data() || serde_json::from_slice::<serde_json::Value>(body).is_ok() {
            unfit(vec![FieldError {
                pointer: pointer(&track.path()),
                code: "INVALID_FIELD",
                detail: plain(&error),
            }])
        } else {
            Failure::new(Kind::Malformed, "MALFORMED_JSON", format!("the body is not JSON: {error}"))
        }
    })?;
    reader
        .end()
        .map_err(|e| Failure::new(Kind::Malformed, "MALFORMED_JSON", format!("the body is not JSON: {e}")))?;
    if unread.is_empty() {
        return Ok(value);
    }
    let unknown = |pointer| FieldError {
        pointer,
        code: "UNKNOWN_FIELD",
        detail: "this operation has no such field".to_owned(),
    };
    Err(unfit(unread.into_iter().map(unknown).collect()).into())
}

pub(super) fn unfit(errors: Vec<FieldError>) -> Failure {
    Failure {
        errors,
        ..Failure::new(
            Kind::Invalid,
            "INVALID_BODY",
            "the body does not fit this operation; `errors` names the fields",
        )
    }
}

/// The message without serde's position, which means nothing beside a pointer.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(message, _)| message.to_owned())
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Map { key } => Some(step(key)),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}

fn ignored_pointer(path: &serde_ignored::Path) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}/{index}", ignored_pointer(parent)),
        Path::Map { parent, key } => ignored_pointer(parent) + &step(key),
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
            ignored_pointer(parent)
        }
    }
}

/// One step of a JSON pointer (RFC 6901).
pub(super) fn step(key: &str) -> String {
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// Path parameters; what does not parse (a wrong id prefix) is 422.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(value)| Self(value))
            .map_err(|e| {
                Failure::new(
                    Kind::Invalid,
                    "INVALID_PATH",
                    format!("the path does not fit: {}", e.body_text()),
                )
                .into()
            })
    }
}

/// Query parameters; unknown or unfit ones are 422.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        axum::extract::Query::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|e| Failure::invalid_query(e.body_text()).into())
    }
}

/// The version that the caller has seen: `If-Match: "<version>"`; absent means unconditional.
#[derive(Debug, Clone, Copy)]
pub struct IfMatch(pub Option<i64>);

impl IfMatch {
    /// # Errors
    /// 412 when the resource has another version by now.
    pub fn check(self, version: i64) -> Result<(), Failure> {
        match self.0 {
            Some(seen) if seen != version => Err(Failure::new(
                Kind::Stale,
                "VERSION_MISMATCH",
                "someone changed it since you read it; read it again",
            )
            .with("version", version)),
            _ => Ok(()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let Some(header) = parts.headers.get(header::IF_MATCH) else { return Ok(Self(None)) };
        let version = header
            .to_str()
            .ok()
            .filter(|text| *text != "*")
            // Proxies weaken the tag of what they compress.
            .map(|text| text.strip_prefix("W/").unwrap_or(text).trim_matches('"').parse::<i64>());
        match version {
            None if header == "*" => Ok(Self(None)),
            Some(Ok(version)) => Ok(Self(Some(version))),
            _ => Err(Failure::new(
                Kind::Malformed,
                "MALFORMED_IF_MATCH",
                "send the ETag that an earlier answer carried",
            )
            .into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use quenty_kernel::money::Money;
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Size {
        Small,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read from JSON")]
    struct Line {
        price: Money,
        note: Option<String>,
        size: Option<Size>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read from JSON")]
    struct Body {
        lines: Vec<Line>,
    }

    fn found(body: &Value) -> Vec<(String, &'static str)> {
        let error = parse::<Body>(body.to_string().as_bytes()).unwrap_err();
        let failure = error.to_failure();
        assert_eq!(failure.code, "INVALID_BODY");
        let mut found: Vec<_> = failure.errors.into_iter().map(|error| (error.pointer, error.code)).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn fields_that_nobody_reads_are_refused_however_deep_they_stand() {
        let line = json!({"price": {"amount": "1.00", "currency": "USD", "cents": 1}, "a/b~c": 2});
        let found =
            found(&json!({"lines": [{"price": {"amount": "1.00", "currency": "USD"}}, line], "x": 3}));
        let unknown = |pointer: &str| (pointer.to_owned(), "UNKNOWN_FIELD");
        assert_eq!(found, [unknown("/lines/1/a~1b~0c"), unknown("/lines/1/price/cents"), unknown("/x")]);
    }

    #[tokio::test]
    async fn a_parameter_that_does_not_fit_is_named_in_the_detail() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "only read from a query")]
        struct Asked {
            limit: u8,
        }
        for (query, named) in [("limit=many", "limit"), ("", "limit"), ("limit=1&color=red", "color")] {
            let request = axum::http::Request::get(format!("/?{query}")).body(()).unwrap();
            let mut parts = request.into_parts().0;
            let refused = Query::<Asked>::from_request_parts(&mut parts, &()).await.unwrap_err();
            let failure = refused.to_failure();
            assert_eq!(failure.code, "INVALID_QUERY");
            assert!(failure.detail.contains(named), "{query}: {}", failure.detail);
        }
    }

    #[tokio::test]
    async fn a_version_may_be_told_by_a_tag_that_a_proxy_weakened() {
        for (told, version) in [("\"3\"", Some(3)), ("W/\"3\"", Some(3)), ("*", None)] {
            let request = axum::http::Request::get("/").header(header::IF_MATCH, told).body(()).unwrap();
            let seen = IfMatch::from_request_parts(&mut request.into_parts().0, &()).await.unwrap();
            assert_eq!(seen.0, version, "{told}");
        }
    }

    #[test]
    fn a_value_that_its_type_refuses_is_named_by_its_pointer() {
        let body = json!({"lines": [{"price": {"amount": "1.00", "currency": "USD"}, "note": 7}]});
        assert_eq!(found(&body), [("/lines/0/note".to_owned(), "INVALID_FIELD")]);
        let price = json!({"amount": "1.00", "currency": "USD"});
        for size in [json!(1), json!({}), json!("large")] {
            let body = json!({"lines": [{"price": price, "size": size}]});
            assert_eq!(found(&body), [("/lines/0/size".to_owned(), "INVALID_FIELD")], "{size}");
        }
        assert!(serde_json::from_value::<Size>(json!("small")).is_ok());
    }
}
