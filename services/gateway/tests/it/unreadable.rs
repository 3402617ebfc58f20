use axum::{Router, routing::get};
use quenty_gateway::Upstream;
use serde_json::Value;

use crate::support::{Door, description};

#[tokio::test]
async fn what_cannot_be_read_as_a_request_is_told_as_a_problem() {
    let router = Router::new().route("/api/v1/here", get(|| async { "here" }));
    let door =
        Door::open(vec![Upstream::local("here", router, description(&[("get", "/api/v1/here")]))], &[]).await;
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(200));
    let double = "POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n";
    for (request, status, code) in [
        ("nonsense\r\n\r\n", 400, "MALFORMED_REQUEST"),
        ("GET / HTTP/1.1\r\nno colon\r\n\r\n", 400, "MALFORMED_REQUEST"),
        ("GET / HTTP/1.1\r\nx: a\0b\r\n\r\n", 400, "MALFORMED_REQUEST"),
        (double, 400, "MALFORMED_REQUEST"),
        (many.as_str(), 431, "HEADERS_TOO_LARGE"),
    ] {
        let answer = door.raw(request.as_bytes()).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{code}: {answer:?}"));
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        assert!(
            head.contains("content-type: application/problem+json") && head.contains("x-request-id: "),
            "{head}"
        );
        let problem: Value = serde_json::from_str(body).unwrap();
        assert_eq!((&problem["code"], &problem["status"]), (&code.into(), &status.into()));
    }
    door.get("/api/v1/here").send().await.expect(200);
}
