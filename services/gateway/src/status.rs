//! The health of all services for people: a page for when something seems wrong, which needs nothing but a browser.

use std::fmt::Write;

use axum::body::Body;
use hyper::{
    Response,
    header::{self, HeaderValue},
};

use crate::{
    Gateway,
    health::{self, Seen},
};

const BEFORE: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta http-equiv=\"refresh\" content=\"10\">
<title>Quenty: status</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 40rem; margin: 2rem auto; padding: 0 1rem; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .4rem; text-align: left; border-bottom: 1px solid #8884; }
td:last-child, th:last-child { text-align: right; }
.well::before { content: \"● \"; color: #2a8a3e; }
.ill::before { content: \"▲ \"; color: #c62828; }
</style>
";

/// Always 200: it is the page that was asked for. Programs ask `/health`.
pub(crate) async fn page(gateway: &Gateway) -> Response<Body> {
    let mut response = Response::new(Body::from(written(&health::look(gateway).await)));
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, html);
    response
}

fn written(services: &[Seen]) -> String {
    let ill = services.iter().filter(|seen| !seen.is_ready).count();
    let (class, sum) = match ill {
        0 => ("well", "Everything works".to_owned()),
        _ => ("ill", format!("{ill} of {} services do not work", services.len())),
    };
    let rows = services.iter().fold(String::new(), |mut rows, seen| {
        let class = if seen.is_ready { "well" } else { "ill" };
        let Seen { service, latency_ms, .. } = seen;
        // Writing to a string does not fail.
        let _ =
            writeln!(rows, "<tr><td>{service}<td class=\"{class}\">{}<td>{latency_ms} ms", condition(seen));
        rows
    });
    format!(
        "{BEFORE}<h1 class=\"{class}\">{sum}</h1>\n<table>\n<tr><th>Service<th>Condition<th>Answered in\n{rows}</table>\n\
         <p>Looked at a moment ago, and again every 10 seconds. For programs: <a href=\"/health\">/health</a>. \
         Reference: <a href=\"/docs/\">/docs</a>.\n</html>\n"
    )
}

/// In words of ours: what a service says is data, and no part of the page.
fn condition(seen: &Seen) -> String {
    if seen.is_ready {
        return "works".to_owned();
    }
    let Some(checks) = &seen.checks else { return "does not answer".to_owned() };
    let failing = checks.as_array().into_iter().flatten().filter(|check| check["ok"] != true);
    let is_plain = |name: &&str| name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    let names: Vec<&str> = failing.filter_map(|check| check["name"].as_str()).filter(is_plain).collect();
    format!("not ready: {}", names.join(", ")).trim_end_matches([':', ' ']).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn people_read_who_is_away_and_what_is_wrong() {
        let seen = |service, is_ready, checks| Seen {
            service,
            status: "<b>".to_owned(),
            checks,
            latency_ms: 3,
            is_ready,
        };
        let checks = json!([{"name": "database", "ok": false}, {"name": "<script>", "ok": false}, {"name": "bus", "ok": true}]);
        let page = written(&[
            seen("auth", true, None),
            seen("order", false, Some(checks)),
            seen("pickup", false, None),
        ]);
        for part in
            ["2 of 3 services do not work", ">works<", "not ready: database<td>", "does not answer", "3 ms"]
        {
            assert!(page.contains(part), "{part} is missing: {page}");
        }
        assert!(!page.contains("<script>") && !page.contains("<b>"), "{page}");
        assert!(written(&[seen("auth", true, None)]).contains("Everything works"));
    }
}
