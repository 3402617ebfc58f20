use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Router, routing::get};
use hyper::Method;
use quenty_gateway::Upstream;
use quenty_platform::telemetry;
use quenty_testkit::wait::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Door, description, endless};

fn things() -> Upstream {
    let router = Router::new().route("/api/v1/things/{id}", get(|| async { "a thing" }));
    let description = description(&[
        ("get", "/api/v1/things/{id}"),
        ("patch", "/api/v1/things/{id}"),
        ("get", "/internal/things"),
    ]);
    Upstream::local("things", router, description)
}

#[tokio::test]
async fn another_method_is_a_405_problem_that_lists_those_there_are() {
    let door = Door::open(vec![things()], &[]).await;
    for (path, allow) in [
        ("/api/v1/things/1", "GET, PATCH, HEAD"),
        ("/health", "GET, HEAD"),
        ("/openapi.json", "GET, HEAD"),
        ("/docs/", "GET, HEAD"),
    ] {
        let answer = door.call(Method::DELETE, path).send().await.expect_problem(405, "METHOD_NOT_ALLOWED");
        assert_eq!(answer.header("allow"), Some(allow), "{path}");
        assert_eq!(answer.json()["instance"], path);
        assert!(answer.json()["trace_id"].is_string() && answer.header("x-request-id").is_some(), "{path}");
    }
}

#[tokio::test]
async fn an_unknown_path_is_a_404_problem() {
    let door = Door::open(vec![things()], &[]).await;
    for path in [
        "/",
        "/api/v1/nothing",
        "/internal/things",
        "/api/v1/../internal/things",
        "/docs/nothing",
        "/%2e%2e/x",
    ] {
        let answer = door.get(path).send().await.expect_problem(404, "NO_SUCH_ROUTE");
        assert!(answer.json()["instance"].is_string() && answer.json()["trace_id"].is_string(), "{path}");
        assert!(answer.header("x-request-id").is_some(), "{path}");
    }
}

#[tokio::test]
async fn its_own_pages_carry_a_request_id() {
    let door = Door::open(vec![things()], &[]).await;
    for path in ["/health/live", "/health/ready", "/openapi.json", "/api/versions", "/docs/", "/metrics"] {
        let answer = door.get(path).send().await.expect(200);
        assert!(answer.header("x-request-id").is_some(), "{path}");
    }
    door.call(Method::HEAD, "/health/live").send().await.expect(200);
}

#[tokio::test]
async fn its_metrics_are_for_this_machine_alone() {
    let door = Door::open(vec![things()], &[]).await;
    door.get("/metrics").send().await.expect(200);
    let passed_on = door.get("/metrics").header("x-forwarded-for", "203.0.113.9");
    passed_on.send().await.expect_problem(404, "NO_SUCH_ROUTE");
}

#[tokio::test]
async fn a_request_whose_client_gives_up_is_counted_too() {
    telemetry::start("off");
    let is_asked = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&is_asked);
    let hangs = move || async move {
        asked.store(true, Ordering::SeqCst);
        std::future::pending::<&'static str>().await
    };
    let router = Router::new().route("/api/v1/hanging", get(hangs));
    let service = Upstream::local("things", router, description(&[("get", "/api/v1/hanging")]));
    let door = Door::open(vec![service], &[]).await;
    let mut stream = door.connect().await;
    stream.write_all(b"GET /api/v1/hanging HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    eventually("it is asked for", || async { is_asked.load(Ordering::SeqCst).then_some(()) }).await;
    drop(stream);
    let labels = ["quenty_http_request_seconds_count", "\"gateway\"", "\"/api/v1/hanging\"", "\"499\""];
    eventually("it is counted", || async {
        let metrics = door.get("/metrics").send().await.expect(200).text();
        metrics.lines().any(|line| labels.iter().all(|label| line.contains(label))).then_some(())
    })
    .await;
}

#[tokio::test]
async fn who_does_not_send_headers_in_time_is_cut_off() {
    let door = Door::open(vec![things()], &[("header_timeout_ms", "300")]).await;
    for begun in ["", "P", "PRI * HTTP/2.0", "GET /api/v1/things/1 HTTP/1.1\r\nhost: x\r\n"] {
        let (mut stream, began) = (door.connect().await, Instant::now());
        stream.write_all(begun.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "{begun:?} still hangs after {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn who_does_not_read_the_answer_is_cut_off() {
    let is_gone = Arc::new(AtomicBool::new(false));
    let service = endless("/api/v1/endless", Arc::clone(&is_gone));
    let door = Door::open(vec![service], &[("write_timeout_ms", "300")]).await;
    let mut stream = door.connect().await;
    stream.write_all(b"GET /api/v1/endless HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    eventually("it is cut off", || async { is_gone.load(Ordering::SeqCst).then_some(()) }).await;
    drop(stream);
}
