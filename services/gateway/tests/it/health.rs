use axum::{Router, routing::get};
use quenty_gateway::Upstream;
use quenty_testkit::wait::eventually;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::{Door, description, remote};

#[tokio::test]
async fn one_service_that_is_away_takes_no_gateway_with_it() {
    let (here, stop) = (CancellationToken::new(), CancellationToken::new());
    let router = |path| Router::new().route(path, get(|| async { "here" }));
    let one = remote("one", router("/api/v1/one"), description(&[("get", "/api/v1/one")]), here).await;
    let two =
        remote("two", router("/api/v1/two"), description(&[("get", "/api/v1/two")]), stop.clone()).await;
    let door = Door::open(vec![one, two], &[]).await;
    eventually("both are there", || async {
        (door.get("/health").send().await.status() == 200).then_some(())
    })
    .await;
    stop.cancel();
    let all = eventually("one is seen to be away", || async {
        Some(door.get("/health").send().await).filter(|answer| answer.status() == 503)
    })
    .await
    .json();
    assert_eq!(
        (&all["services"][0]["status"], &all["services"][1]["status"]),
        (&json!("ready"), &json!("unreachable"))
    );
    let page = door.get("/status").send().await.expect(200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").is_some_and(|policy| policy.contains("style-src")));
    assert!(page.text().contains("1 of 2 services do not work"), "{}", page.text());
    let ready = door.get("/health/ready").send().await.expect(200).json();
    assert_eq!(ready["checks"], json!([{"name": "routes", "ok": true}, {"name": "keys", "ok": true}]));
    door.get("/api/v1/one").send().await.expect(200);
}

#[tokio::test]
async fn a_description_that_does_not_go_with_the_others_takes_no_routes_of_theirs_with_it() {
    let stop = CancellationToken::new();
    let service = async |name: &'static str, own: &'static str| {
        let router = Router::new().route(own, get(|| async { "here" }));
        let described = description(&[("get", "/api/v1/shared"), ("get", own)]);
        remote(name, router, described, stop.clone()).await
    };
    let one = service("one", "/api/v1/one").await;
    let two = service("two", "/api/v1/two").await;
    let three = Router::new().route("/api/v1/three", get(|| async { "here" }));
    let three = remote("three", three, description(&[("get", "/api/v1/three")]), stop.clone()).await;
    let door = Door::open(vec![one, two, three], &[]).await;
    eventually("one of the two and the third are routed", || async {
        let (mut claimants, third) = (0, door.get("/api/v1/three").send().await.status() == 200);
        for path in ["/api/v1/one", "/api/v1/two"] {
            claimants += usize::from(door.get(path).send().await.status() == 200);
        }
        (claimants == 1 && third).then_some(())
    })
    .await;
}

#[tokio::test]
async fn who_comes_while_a_gateway_starts_waits_until_it_knows_the_way() {
    let router = Router::new().route("/api/v1/one", get(|| async { "here" }));
    let described = description(&[("get", "/api/v1/one")]);
    let door = Door::begin(vec![remote("one", router, described, CancellationToken::new()).await], &[]).await;
    door.get("/api/v1/one").send().await.expect(200);
}

#[tokio::test]
async fn a_gateway_without_routes_is_not_ready() {
    let door =
        Door::open(vec![Upstream::local("one", Router::new(), description(&[("get", "/api/v1/one")]))], &[])
            .await;
    door.get("/health/ready").send().await.expect(200);
    let bare = Door::begin(vec![Upstream::remote("away", "http://127.0.0.1:9")], &[]).await;
    let told = bare.get("/health/ready").send().await.expect(503).json();
    assert_eq!((&told["status"], &told["checks"][0]["ok"]), (&json!("not_ready"), &json!(false)));
    bare.get("/health/live").send().await.expect(200);
}
