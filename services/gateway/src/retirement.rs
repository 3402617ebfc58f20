//! Operations that go away say so, as their description tells: `x-deprecated-on` and `x-sunset-on` (dates, UTC) and
//! `x-successor` (a path).

use hyper::header::{HeaderName, HeaderValue};
use jiff::{Timestamp, civil::Date, fmt::rfc2822, tz::TimeZone};
use serde_json::Value;

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and `Link` (RFC 8288) of an operation.
pub(crate) fn headers(operation: &Value) -> Vec<(HeaderName, HeaderValue)> {
    let links = [("x-successor", "successor-version"), ("x-deprecation-page", "deprecation")]
        .iter()
        .filter_map(|(key, relation)| Some(format!("<{}>; rel=\"{relation}\"", operation[*key].as_str()?)))
        .collect::<Vec<_>>();
    let told = [
        (DEPRECATION, date(operation, "x-deprecated-on").map(|at| format!("@{}", at.as_second()))),
        (SUNSET, date(operation, "x-sunset-on").and_then(http_date)),
        (hyper::header::LINK, (!links.is_empty()).then(|| links.join(", "))),
    ];
    told.into_iter().filter_map(|(name, text)| Some((name, HeaderValue::try_from(text?).ok()?))).collect()
}

fn date(operation: &Value, key: &str) -> Option<Timestamp> {
    let text = operation[key].as_str()?;
    let at = text.parse::<Date>().and_then(|date| date.to_zoned(TimeZone::UTC));
    at.inspect_err(|error| tracing::error!(%error, key, "an operation's description has a date that is none"))
        .ok()
        .map(|at| at.timestamp())
}

fn http_date(at: Timestamp) -> Option<String> {
    rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok()
}

/// Whether a description says that the operation goes away.
pub(crate) fn is_announced(operation: &Value) -> bool {
    operation["deprecated"] == true || operation["x-deprecated-on"].is_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_operation_tells_when_it_goes_and_what_comes_instead() {
        let told = headers(
            &json!({"x-deprecated-on": "2026-11-01", "x-sunset-on": "2027-05-01", "x-successor": "/api/v2/orders"}),
        );
        let told: Vec<_> =
            told.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(
            told,
            [
                ("deprecation", "@1793491200"),
                ("sunset", "Sat, 01 May 2027 00:00:00 GMT"),
                ("link", "</api/v2/orders>; rel=\"successor-version\""),
            ]
        );
        assert!(headers(&json!({"x-sunset-on": "soon"})).is_empty());
    }
}
