use std::time::Duration;

use axum::{
    Json, Router,
    body::Body,
    http::HeaderMap,
    response::IntoResponse,
    routing::{get, post},
};
use quenty_testkit::wait::eventually;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

use crate::support::{Door, description, remote};

async fn read_until(stream: &mut tokio::net::TcpStream, wanted: &str) -> String {
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains(wanted) {
        let mut piece = [0; 1024];
        let read = stream.read(&mut piece).await.unwrap();
        assert!(read > 0, "it ended with {:?}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&piece[..read]);
    }
    String::from_utf8(seen).unwrap()
}

#[tokio::test]
async fn bodies_stream_both_ways() {
    let echo = Router::new().route("/api/v1/echo", post(|body: Body| async move { body }));
    let mut described = description(&[("post", "/api/v1/echo")]);
    described["paths"]["/api/v1/echo"]["post"]["requestBody"] = json!({"content": {"text/csv": {}}});
    let service = remote("echo", echo, described, CancellationToken::new()).await;
    let door = Door::open(vec![service], &[]).await;
    let mut stream = door.connect().await;
    let head = b"POST /api/v1/echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n";
    stream.write_all(head).await.unwrap();
    let answer = read_until(&mut stream, "first").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "the answer has begun before the request ended: {answer}");
    stream.write_all(b"6\r\nsecond\r\n0\r\n\r\n").await.unwrap();
    read_until(&mut stream, "second").await;
}

#[tokio::test]
async fn a_service_that_takes_too_long_is_a_504_problem() {
    let slow = Router::new().route("/api/v1/slow", get(std::future::pending::<()>));
    let service =
        remote("slow", slow, description(&[("get", "/api/v1/slow")]), CancellationToken::new()).await;
    let door = Door::open(vec![service], &[("upstream_timeout_ms", "200")]).await;
    let answer = door.get("/api/v1/slow").send().await.expect_problem(504, "UPSTREAM_TIMEOUT");
    assert_eq!(answer.json()["instance"], "/api/v1/slow");
    assert!(answer.json()["trace_id"].is_string() && answer.header("x-request-id").is_some());
}

#[tokio::test]
async fn a_service_that_is_away_is_a_503_problem() {
    let stop = CancellationToken::new();
    let here = Router::new().route("/api/v1/here", get(|| async { "here" }));
    let service = remote("here", here, description(&[("get", "/api/v1/here")]), stop.clone()).await;
    let door = Door::open(vec![service], &[]).await;
    door.get("/api/v1/here").send().await.expect(200);
    stop.cancel();
    let answer = eventually("the service is away", || async {
        Some(door.get("/api/v1/here").send().await).filter(|answer| answer.status() != 200)
    })
    .await;
    let answer = answer.expect_problem(503, "UPSTREAM_UNAVAILABLE");
    assert_eq!(answer.header("retry-after"), Some("1"));
    door.get("/health/ready").send().await.expect(200);
}

#[tokio::test]
async fn nothing_of_a_connection_and_no_claim_of_a_client_goes_inward() {
    let mirror = |headers: HeaderMap| async move {
        let seen: serde_json::Map<String, Value> = headers
            .iter()
            .map(|(name, value)| (name.to_string(), json!(String::from_utf8_lossy(value.as_bytes()))))
            .collect();
        ([("keep-alive", "timeout=5"), ("x-kept", "1")], Json(seen)).into_response()
    };
    let router = Router::new().route("/api/v1/mirror", get(mirror));
    let service =
        remote("mirror", router, description(&[("get", "/api/v1/mirror")]), CancellationToken::new()).await;
    let door = Door::open(vec![service], &[]).await;
    let sent = "GET /api/v1/mirror HTTP/1.1\r\nhost: evil.example\r\nconnection: close, x-secret\r\nx-secret: 1\r\nte: trailers\r\n\
        keep-alive: 9\r\nproxy-authorization: x\r\nx-forwarded-for: 192.0.2.1\r\nx-forwarded-for: 192.0.2.2\r\nx-forwarded-host: evil.example\r\n\
        forwarded: for=192.0.2.1\r\nx-real-ip: 192.0.2.1\r\nx-user-id: USER-1\r\nx-company-id: COMP-1\r\naccept-language: es\r\n\r\n";
    let answer = door.raw(sent.as_bytes()).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("x-kept: 1") && !head.contains("keep-alive: timeout"), "{head}");
    let seen: serde_json::Map<String, Value> = serde_json::from_str(body).unwrap();
    let names: Vec<_> = seen.keys().map(String::as_str).collect();
    let wanted =
        ["accept-language", "host", "traceparent", "x-forwarded-for", "x-request-id", "x-time-left-ms"];
    assert_eq!(names, wanted);
    assert_eq!((&seen["x-forwarded-for"], &seen["accept-language"]), (&json!("127.0.0.1"), &json!("es")));
    assert_ne!(seen["host"], "evil.example");
}

#[tokio::test]
async fn a_request_keeps_its_id_and_its_trace_if_it_has_them() {
    let mirror = |headers: HeaderMap| async move {
        let text =
            |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        format!("{} {}", text("x-request-id"), text("traceparent"))
    };
    let router = Router::new().route("/api/v1/mirror", get(mirror));
    let service =
        remote("mirror", router, description(&[("get", "/api/v1/mirror")]), CancellationToken::new()).await;
    let door = Door::open(vec![service], &[]).await;
    let (id, trace) = (quenty_kernel::id::new_uuid().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    let answer = door
        .get("/api/v1/mirror")
        .header("x-request-id", &id)
        .header("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01"))
        .send()
        .await
        .expect(200);
    assert_eq!(answer.header("x-request-id"), Some(id.as_str()));
    assert!(answer.text().starts_with(&format!("{id} 00-{trace}-")), "{}", answer.text());
    let other = door.get("/api/v1/mirror").header("x-request-id", "a\tb").send().await.expect(200);
    assert!(other.header("x-request-id").unwrap().parse::<uuid::Uuid>().is_ok(), "what is no id is replaced");
}

#[tokio::test]
async fn a_service_that_hangs_at_the_start_holds_up_nobody_elses_routes() {
    let here = Router::new().route("/api/v1/here", get(|| async { "here" }));
    let other = remote("here", here, description(&[("get", "/api/v1/here")]), CancellationToken::new()).await;
    let began = std::time::Instant::now();
    let door = Door::open(vec![crate::support::hanging("hanging").await, other], &[]).await;
    door.get("/api/v1/here").send().await.expect(200);
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    door.get("/api/v1/hanging").send().await.expect_problem(503, "STARTING");
}
