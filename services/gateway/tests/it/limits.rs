use axum::{
    Router,
    routing::{get, post},
};
use quenty_gateway::Upstream;
use quenty_kernel::id::{CompanyId, UserId};
use quenty_platform::token::Realm;
use quenty_testkit::{http::Answer, keys};
use serde_json::json;

use crate::support::Door;

fn service() -> Upstream {
    let ok = || async { "done" };
    let router = Router::new()
        .route("/api/v1/things", get(ok).post(ok))
        .route("/api/v1/costly", get(ok))
        .route("/api/v1/tracking/{id}", get(ok))
        .route("/api/v1/login", post(ok))
        .route("/api/v1/things/import", post(ok));
    let secured = json!([{"bearer": []}]);
    let paths = json!({
        "/api/v1/things": {"get": {"security": secured}, "post": {"security": secured}},
        "/api/v1/costly": {"get": {"security": secured, "x-limit-cost": 5}},
        "/api/v1/things/import": {"post": {"security": secured, "requestBody": {"content": {"text/csv": {}}}}},
        "/api/v1/tracking/{id}": {"get": {"security": [{}]}},
        "/api/v1/login": {"post": {"security": [{}]}},
    });
    Upstream::local("things", router, json!({"paths": paths}))
}

fn token(user: UserId) -> String {
    keys::sign(&keys::claims(Realm::Company, user, Some(CompanyId::new()), &[]))
}

/// Asks until it is refused; how often it was not.
async fn until_refused(ask: impl AsyncFn() -> Answer) -> (u32, Answer) {
    for let_through in 0..1000 {
        let answer = ask().await;
        if answer.status() == 429 {
            return (let_through, answer);
        }
        answer.expect(200);
    }
    panic!("it was never refused");
}

#[tokio::test]
async fn who_asks_too_much_is_told_when_to_come_again() {
    let door = Door::open(vec![service()], &[("limit_read", "5/3600")]).await;
    let mine = token(UserId::new());
    let first = door.get("/api/v1/things").token(&mine).send().await.expect(200);
    assert_eq!(first.header("ratelimit-policy"), Some("\"read\";q=5;w=3600"));
    assert_eq!(first.header("ratelimit"), Some("\"read\";r=4;t=720"));
    let (more, refused) = until_refused(async || door.get("/api/v1/things").token(&mine).send().await).await;
    assert_eq!(more, 4);
    let refused = refused.expect_problem(429, "RATE_LIMITED");
    assert!(refused.header("ratelimit").unwrap().starts_with("\"read\";r=0;t="));
    let wait: u32 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((700..=720).contains(&wait), "{wait}");
    assert_eq!(refused.json()["instance"], "/api/v1/things");
    // Others, and other things, are counted apart; another token of the same user is not.
    door.get("/api/v1/things").token(&token(UserId::new())).send().await.expect(200);
    door.call(hyper::Method::POST, "/api/v1/things").token(&mine).send().await.expect(200);
    let user = UserId::new();
    let (more, _) = until_refused(async || door.get("/api/v1/things").token(&token(user)).send().await).await;
    assert_eq!(more, 5);
}

#[tokio::test]
async fn each_class_has_its_quota() {
    let quotas = [
        ("limit_public", "2/3600"),
        ("limit_auth", "3/3600"),
        ("limit_read", "20/3600"),
        ("limit_write", "5/3600"),
        ("limit_bulk", "1/3600"),
    ];
    let door = Door::open(vec![service()], &quotas).await;
    let mine = token(UserId::new());
    let get = |path: &'static str| door.get(path).token(&mine).send();
    let post = |path: &'static str| door.call(hyper::Method::POST, path).token(&mine).send();
    assert_eq!(until_refused(async || post("/api/v1/login").await).await.0, 3);
    assert_eq!(until_refused(async || post("/api/v1/things").await).await.0, 5);
    assert_eq!(until_refused(async || post("/api/v1/things/import").await).await.0, 1);
    assert_eq!(until_refused(async || get("/api/v1/costly").await).await.0, 4, "each takes five");
    assert_eq!(until_refused(async || get("/api/v1/tracking/1").await).await.0, 2);
}

#[tokio::test]
async fn strangers_who_are_refused_are_counted_by_their_address() {
    let door =
        Door::open(vec![service()], &[("limit_public", "3/3600"), ("trusted_proxies", "127.0.0.1")]).await;
    let ask =
        |from: &'static str| door.get("/api/v1/things").token("a.b.c").header("x-forwarded-for", from).send();
    for _ in 0..3 {
        ask("192.0.2.1").await.expect_problem(401, "INVALID_TOKEN");
    }
    ask("192.0.2.1").await.expect_problem(429, "RATE_LIMITED");
    ask("192.0.2.2").await.expect_problem(401, "INVALID_TOKEN");
    // The same address with a good token is somebody.
    let good = door.get("/api/v1/things").token(&token(UserId::new())).header("x-forwarded-for", "192.0.2.1");
    good.send().await.expect(200);
    for path in ["/health/ready", "/health/live"] {
        for _ in 0..5 {
            door.get(path).header("x-forwarded-for", "192.0.2.1").send().await.expect(200);
        }
    }
}

#[tokio::test]
async fn what_no_operation_is_asked_for_is_counted() {
    let quota = [("limit_public", "3/3600"), ("trusted_proxies", "127.0.0.1")];
    let door = Door::open(vec![service()], &quota).await;
    for (method, path, from, code) in [
        (hyper::Method::DELETE, "/api/v1/things", "192.0.2.1", "METHOD_NOT_ALLOWED"),
        (hyper::Method::GET, "/api/v1/nothing", "192.0.2.2", "NO_SUCH_ROUTE"),
    ] {
        let ask = || door.call(method.clone(), path).header("x-forwarded-for", from).send();
        for _ in 0..3 {
            assert_eq!(ask().await.code(), code);
        }
        ask().await.expect_problem(429, "RATE_LIMITED");
    }
}

#[tokio::test]
async fn a_class_may_be_without_quota() {
    let door = Door::open(vec![service()], &[("limit_public", "off")]).await;
    for _ in 0..50 {
        let answer = door.get("/api/v1/tracking/1").send().await.expect(200);
        assert_eq!(answer.header("ratelimit"), None);
    }
}

#[tokio::test]
async fn a_quota_changes_while_the_gateway_runs_and_one_that_is_none_changes_nothing() {
    let door = Door::open(vec![service()], &[("limit_read", "2/3600")]).await;
    let mine = token(UserId::new());
    let ask = async || door.get("/api/v1/things").token(&mine).send().await;
    assert_eq!(until_refused(ask).await.0, 2);
    assert!(door.reload("limit_read", "plenty").is_err());
    ask().await.expect_problem(429, "RATE_LIMITED");
    door.reload("limit_read", "off").unwrap();
    ask().await.expect(200);
}
