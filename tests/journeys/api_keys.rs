//! A shop's machine comes with an API key and nothing else: the gateway exchanges it, Auth says what it may do.

use http::Method;
use serde_json::json;

use crate::harness::{Cast, Client, Stage};

pub(crate) async fn a_shop_places_an_order_with_its_api_key_alone(stage: &Stage, cast: Cast) {
    let owner = &cast.merchant.client;
    let wanted = json!({"name": "web shop", "scopes": ["orders:create", "orders:read"]});
    let made = owner.post("/api/v1/auth/api-keys", &wanted).await.expect(201).json();
    let key = made["api_key"].as_str().expect("a key").to_owned();
    let anyone: Client = stage.anyone();
    let call = |method: Method, path: &str| anyone.call(method, path).header("x-api-key", &key);

    let order = cast.merchant.cash_order();
    let placed = call(Method::POST, "/api/v1/orders").json(&order).send().await.expect(201).json();
    let read = call(Method::GET, &format!("/api/v1/orders/{}", placed["id"].as_str().expect("an id")));
    assert_eq!(read.send().await.expect(200).json()["id"], placed["id"]);
    // Its scopes are its limits, whatever its owner may.
    call(Method::GET, "/api/v1/products").send().await.expect_problem(403, "NOT_PERMITTED");
    let wrong = anyone.call(Method::GET, "/api/v1/orders").header("x-api-key", "qk_wrong");
    wrong.send().await.expect_problem(401, "INVALID_API_KEY");
    cast.merchant.until_status(&placed, "processing").await;
}
