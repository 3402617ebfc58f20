//! What browsers are told.

use axum::{Router, http::header, routing::get};
use hyper::Method;
use quenty_gateway::Upstream;
use quenty_testkit::http::Answer;

use crate::support::{Door, description};

const SHOP: &str = "https://shop.example";

fn things() -> Upstream {
    let kept = || async { ([(header::CACHE_CONTROL, "public, max-age=60")], "kept") };
    let router = Router::new()
        .route("/api/v1/things/{id}", get(|| async { "a thing" }))
        .route("/api/v1/kept", get(kept));
    let described = description(&[
        ("get", "/api/v1/things/{id}"),
        ("patch", "/api/v1/things/{id}"),
        ("get", "/api/v1/kept"),
    ]);
    Upstream::local("things", router, described)
}

async fn preflight(door: &Door, path: &str, origin: &str) -> Answer {
    door.call(Method::OPTIONS, path)
        .header("origin", origin)
        .header("access-control-request-method", "PATCH")
        .header("access-control-request-headers", "authorization")
        .send()
        .await
}

#[tokio::test]
async fn every_answer_carries_what_keeps_browsers_from_misusing_it() {
    let door = Door::open(vec![things()], &[]).await;
    for path in ["/api/v1/things/1", "/api/v1/none", "/health/live", "/openapi.json"] {
        let answer = door.get(path).send().await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        // The reference is nobody's secret.
        let kept = if path == "/openapi.json" { "no-cache" } else { "no-store" };
        assert_eq!(answer.header("cache-control"), Some(kept), "{path}");
        let policy = answer.header("content-security-policy");
        assert_eq!(policy, Some("default-src 'none'; frame-ancestors 'none'"), "{path}");
        assert_eq!(answer.header("strict-transport-security"), None, "never said in the clear");
    }
    let page = door.get("/docs/").send().await.expect(200);
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'self'"));
    let kept = door.get("/api/v1/kept").send().await.expect(200);
    assert_eq!(kept.header("cache-control"), Some("public, max-age=60"), "a service's own word stands");
}

#[tokio::test]
async fn pages_of_other_origins_may_not_call_unless_they_are_listed() {
    let closed = Door::open(vec![things()], &[]).await;
    let answer = closed.get("/api/v1/things/1").header("origin", SHOP).send().await.expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), None);
    preflight(&closed, "/api/v1/things/1", SHOP).await.expect_problem(405, "METHOD_NOT_ALLOWED");

    let door =
        Door::open(vec![things()], &[("cors_origins", "https://shop.example, https://back.example")]).await;
    let allowed = preflight(&door, "/api/v1/things/1", SHOP).await.expect(204);
    assert_eq!(allowed.header("access-control-allow-origin"), Some(SHOP));
    assert_eq!(allowed.header("access-control-allow-methods"), Some("GET, PATCH, HEAD"));
    assert!(allowed.header("access-control-allow-headers").unwrap().contains("authorization"));
    assert_eq!(allowed.header("access-control-max-age"), Some("600"));
    assert_eq!(allowed.header("access-control-allow-credentials"), None);
    let answer = door.get("/api/v1/things/1").header("origin", SHOP).send().await.expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), Some(SHOP));
    let readable = answer.header("access-control-expose-headers").unwrap();
    for name in ["etag", "idempotency-replayed", "allow", "www-authenticate"] {
        assert!(readable.split(", ").any(|listed| listed == name), "{name}");
    }
    assert_eq!(answer.header("vary"), Some("origin"));
    // A page must be able to read why it was refused.
    let refused =
        door.get("/api/v1/none").header("origin", SHOP).send().await.expect_problem(404, "NO_SUCH_ROUTE");
    assert_eq!(refused.header("access-control-allow-origin"), Some(SHOP));

    for origin in ["https://evil.example", "https://shop.example.evil.example", "null"] {
        preflight(&door, "/api/v1/things/1", origin).await.expect_problem(403, "ORIGIN_NOT_ALLOWED");
        let answer = door.get("/api/v1/things/1").header("origin", origin).send().await.expect(200);
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
    }
    preflight(&door, "/internal/things", SHOP).await.expect_problem(404, "NO_SUCH_ROUTE");
    preflight(&door, "/openapi.json", SHOP).await.expect(204);
}

#[tokio::test]
async fn a_star_lets_every_page_call_and_none_with_credentials() {
    let door = Door::open(vec![things()], &[("cors_origins", "*")]).await;
    let answer = door.get("/api/v1/things/1").header("origin", SHOP).send().await.expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}
