//! What somebody sends who means harm: each attempt ends at the door.

use axum::{Json, Router, body::Bytes, http::HeaderMap, routing::any};
use quenty_gateway::Upstream;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::{Door, description, remote};

/// Tells what reached it, on every path.
async fn mirror() -> Upstream {
    let seen = |uri: axum::http::Uri, headers: HeaderMap, body: Bytes| async move {
        let headers: serde_json::Map<String, Value> = headers
            .iter()
            .map(|(name, value)| (name.to_string(), json!(String::from_utf8_lossy(value.as_bytes()))))
            .collect();
        Json(json!({"reached": uri.to_string(), "headers": headers, "body": String::from_utf8_lossy(&body)}))
    };
    let router = Router::new().fallback(any(seen));
    let described = description(&[
        ("get", "/api/v1/things/{id}"),
        ("post", "/api/v1/things"),
        ("get", "/internal/things"),
        ("get", "/metrics"),
    ]);
    remote("mirror", router, described, CancellationToken::new()).await
}

async fn door() -> Door {
    Door::open(vec![mirror().await], &[]).await
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or(answer)
}

#[tokio::test]
async fn no_way_of_writing_a_path_leads_to_what_is_not_routed() {
    let door = door().await;
    for target in [
        "/internal/things",
        "/api/v1/../../internal/things",
        "/api/v1/things/../../../internal/things",
        "/api/v1/things/..",
        "/api/v1/things/%2e%2e",
        "/api/v1/things/..%2f..%2f..%2finternal%2fthings",
        "/api/v1/things/%2E%2E%5c%2e%2e%5cinternal",
        "/api/v1/things/..;/internal",
        "/api/v1/./things/1",
        "/%69nternal/things",
        "/internal%2fthings",
        "//internal/things",
        "/api//v1/things/1",
        "/api/v1/things//1",
        "//api/v1/things/1",
        "/API/v1/things/1",
        "/api/V1/things/1",
        "/api/v1/Things/1",
        "/api/v1/things/1/",
        "/METRICS",
        "/api/v1/things\\1",
    ] {
        let answer = door
            .raw(format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes())
            .await;
        assert_eq!(status(&answer), "404", "{target}: {answer}");
        assert!(!answer.contains("reached"), "{target}: {answer}");
    }
    let kept = door.get("/api/v1/things/PO%2F2026%2F1").send().await.expect(200).json();
    assert_eq!(kept["reached"], "/api/v1/things/PO%2F2026%2F1", "a slash within a name stays within it");
}

#[tokio::test]
async fn the_gateway_is_nobodys_proxy() {
    let door = door().await;
    for request in [
        "GET http://169.254.169.254/latest/meta-data HTTP/1.1\r\nhost: 169.254.169.254\r\n",
        "GET http://127.0.0.1:5432/internal/things HTTP/1.1\r\nhost: x\r\n",
        "CONNECT 127.0.0.1:5432 HTTP/1.1\r\nhost: 127.0.0.1:5432\r\n",
        "OPTIONS * HTTP/1.1\r\nhost: x\r\n",
    ] {
        let answer = door.raw(format!("{request}connection: close\r\n\r\n").as_bytes()).await;
        assert!(matches!(status(&answer), "400" | "404" | "405"), "{request}: {answer}");
    }
    let absolute =
        "GET http://evil.example/api/v1/things/1 HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    let answer = door.raw(absolute.as_bytes()).await;
    assert!(
        answer.contains(r#""reached":"/api/v1/things/1""#) && !answer.contains("evil.example"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_request_that_two_readers_could_understand_differently_is_refused() {
    let door = door().await;
    for head in [
        "GET /api/v1/things/1 HTTP/1.1\r\n",
        "GET /api/v1/things/1 HTTP/1.1\r\nhost: a\r\nhost: b\r\n",
        "GET /api/v1/things/1 HTTP/1.1\r\nhost: a\r\nHost: a\r\n",
        "GET /api/v1/things/1 HTTP/1.1\r\nhost: a/b\r\n",
        "GET /api/v1/things/1 HTTP/1.1\r\nhost: a\r\nauthorization: Bearer x\r\nauthorization: Bearer y\r\n",
        "GET /api/v1/things/1 HTTP/1.1\r\nhost : a\r\n",
        "GET /api/v1/things/1 HTTP/1.1\r\nhost: a\r\n folded: x\r\n",
        "POST /api/v1/things HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n",
        "POST /api/v1/things HTTP/1.1\r\nhost: a\r\ncontent-length: +1\r\n",
        "POST /api/v1/things HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, identity\r\n",
        "POST /api/v1/things HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n",
    ] {
        let answer = door.raw(format!("{head}connection: close\r\n\r\nx").as_bytes()).await;
        assert_eq!(status(&answer), "400", "{head}: {answer}");
        assert!(
            answer.contains("application/problem+json") && answer.contains("MALFORMED_REQUEST"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn nothing_is_smuggled_behind_a_body_whose_length_is_told_twice() {
    let door = door().await;
    let hidden = "GET /api/v1/things/hidden HTTP/1.1\r\nhost: x\r\n\r\n";
    for lengths in [
        "content-length: 3\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 3\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n",
    ] {
        let sent =
            format!("POST /api/v1/things HTTP/1.1\r\nhost: x\r\n{lengths}\r\n4\r\nbody\r\n0\r\n\r\n{hidden}");
        let answer = door.raw(sent.as_bytes()).await;
        assert!(!answer.contains("hidden"), "{lengths}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{lengths}: {answer}");
        if status(&answer) == "200" {
            assert!(
                answer.contains(r#""body":"body""#) && !answer.contains("content-length\":\"3"),
                "{answer}"
            );
            assert!(answer.contains("connection: close"), "{answer}");
        }
    }
}

#[tokio::test]
async fn what_a_client_says_of_itself_reaches_no_service() {
    let door = door().await;
    let seen = door
        .get("/api/v1/things/1")
        .header("x-user-id", "USER-1")
        .header("x-user-roles", "super_admin")
        .header("x-company-id", "COMP-1")
        .header("x-forwarded-for", "192.0.2.1")
        .header("x-forwarded-host", "evil.example")
        .header("x-forwarded-proto", "https")
        .header("x-real-ip", "192.0.2.1")
        .header("forwarded", "for=192.0.2.1")
        .send()
        .await
        .expect(200)
        .json();
    let headers = seen["headers"].as_object().unwrap();
    let ours = ["x-request-id", "x-time-left-ms"];
    let forwarded: Vec<_> =
        headers.iter().filter(|(name, _)| name.starts_with("x-") && !ours.contains(&name.as_str())).collect();
    assert_eq!(forwarded, [(&"x-forwarded-for".to_owned(), &json!("127.0.0.1"))]);
    assert!(!seen.to_string().contains("evil.example") && !headers.contains_key("forwarded"));
}

#[tokio::test]
async fn a_proxy_of_ours_is_believed_who_asked() {
    let door = Door::open(vec![mirror().await], &[("trusted_proxies", "127.0.0.0/8")]).await;
    let call = || door.get("/api/v1/things/1").header("x-forwarded-for", "192.0.2.1, 203.0.113.9");
    let answer = call().send().await.expect(200);
    assert_eq!(answer.json()["headers"]["x-forwarded-for"], "203.0.113.9");
    assert_eq!(answer.header("strict-transport-security"), None);
    let answer = call().header("x-forwarded-proto", "https").send().await.expect(200);
    assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000; includeSubDomains"));
}

#[tokio::test]
async fn a_head_that_is_too_long_is_told_so() {
    let door = Door::open(vec![mirror().await], &[("max_header_bytes", "8192")]).await;
    let long = "x".repeat(10_000);
    for head in [
        format!("GET /api/v1/things/1 HTTP/1.1\r\nhost: x\r\nx-long: {long}\r\n\r\n"),
        format!("GET /api/v1/things/{long} HTTP/1.1\r\nhost: x\r\n\r\n"),
    ] {
        let answer = door.raw(head.as_bytes()).await;
        assert!(matches!(status(&answer), "431" | "414"), "{answer}");
        assert!(answer.contains("application/problem+json"), "{answer}");
    }
}

#[tokio::test]
async fn no_line_of_the_log_is_written_by_a_client() {
    let door = door().await;
    // What would end a line in a log cannot stand in a header; what can is replaced.
    for id in ["a\\r\\nstatus=200", "<script>", "%0d%0astatus=200"] {
        let answer = door.get("/api/v1/things/1").header("x-request-id", id).send().await.expect(200);
        assert!(answer.header("x-request-id").unwrap().parse::<uuid::Uuid>().is_ok());
    }
    for bytes in [
        "x-request-id: a\rb\r\n",
        "x-request-id: a\nb\r\n",
        "x-request-id: a\0b\r\n",
        "traceparent: a\x08\r\n",
    ] {
        let answer = door
            .raw(
                format!("GET /api/v1/things/1 HTTP/1.1\r\nhost: x\r\n{bytes}connection: close\r\n\r\n")
                    .as_bytes(),
            )
            .await;
        let is_refused = status(&answer) == "400";
        assert!(is_refused || !answer.contains("a\rb") && !answer.contains("a\nb"), "{bytes:?}: {answer}");
    }
    let problem =
        door.get("/api/v1/none%0d%0aset-cookie:%20a=b").send().await.expect_problem(404, "NO_SUCH_ROUTE");
    assert!(problem.header("set-cookie").is_none());
    assert_eq!(problem.json()["instance"], "/api/v1/none%0d%0aset-cookie:%20a=b");
}
