use axum::{Router, routing::get};
use quenty_gateway::Upstream;
use quenty_kernel::id::UserId;
use quenty_platform::token::Realm;
use quenty_testkit::keys;
use serde_json::json;

use crate::support::Door;

#[tokio::test]
async fn strangers_never_reach_a_service() {
    let router = Router::new().route("/api/v1/orders", get(|| async { "orders" }));
    let operation = json!({"get": {"security": [{"bearer": ["orders:read"]}]}});
    let service = Upstream::local("order", router, json!({"paths": {"/api/v1/orders": operation}}));
    let door = Door::open(vec![service], &[]).await;
    let path = "/api/v1/orders";
    let refused = door.get(path).send().await.expect_problem(401, "NO_TOKEN");
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    door.get(path).header("authorization", "Basic x").send().await.expect_problem(401, "BAD_AUTHORIZATION");
    door.get(path).token("a.b.c").send().await.expect(401);
    let token =
        |permissions: &[&str]| keys::sign(&keys::claims(Realm::Staff, UserId::new(), None, permissions));
    let refused =
        door.get(path).token(&token(&["orders:create"])).send().await.expect_problem(403, "NOT_PERMITTED");
    assert_eq!(refused.json()["permission"], "orders:read");
    assert_eq!(door.get(path).token(&token(&["orders:read"])).send().await.expect(200).text(), "orders");
}
