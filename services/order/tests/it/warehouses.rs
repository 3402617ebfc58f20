use quenty_testkit::TestApp;
use serde_json::json;

use crate::merchant::{Merchant, warehouse};

#[tokio::test]
async fn the_first_warehouse_is_the_default_until_another_takes_over() {
    let app = TestApp::start(quenty_order::service()).await;
    let merchant = Merchant::new(&app);
    let first = format!("/api/v1/warehouses/{}", merchant.warehouse("Centro").await);
    let second = format!("/api/v1/warehouses/{}", merchant.warehouse("Norte").await);
    let default_of =
        async |path: &str| merchant.get(path).await.expect(200).json()["is_default"].as_bool().unwrap();
    assert_eq!((default_of(&first).await, default_of(&second).await), (true, false));
    merchant
        .patch(&first, json!({"is_default": false}))
        .await
        .expect_problem(409, "DEFAULT_WAREHOUSE_NEEDED");
    merchant.patch(&second, json!({"is_default": true})).await.expect(200);
    assert_eq!((default_of(&first).await, default_of(&second).await), (false, true));
    let mut third = warehouse("Sur");
    third["is_default"] = json!(true);
    let third = merchant.post("/api/v1/warehouses", third).await.expect(201);
    assert_eq!(third.json()["is_default"], true);
    assert!(!default_of(&second).await);
    app.assert_sound().await;
}

#[tokio::test]
async fn update_warehouse_changes_what_is_named() {
    let app = TestApp::start(quenty_order::service()).await;
    let merchant = Merchant::new(&app);
    let path = format!("/api/v1/warehouses/{}", merchant.warehouse("Centro").await);
    let updated = merchant.patch(&path, json!({"contact_phone": "+573001234567"})).await.expect(200);
    assert_eq!(
        (updated.header("etag"), &updated.json()["contact_phone"]),
        (Some("\"2\""), &json!("+573001234567"))
    );
    let emptied =
        merchant.patch(&path, json!({"contact_phone": null, "name": "Bodega"})).await.expect(200).json();
    assert_eq!((&emptied["contact_phone"], &emptied["name"]), (&json!(null), &json!("Bodega")));
    let stale = app
        .patch(&path)
        .token(&merchant.token)
        .header("if-match", "\"1\"")
        .json(&json!({"name": "x"}))
        .send()
        .await;
    stale.expect_problem(412, "VERSION_MISMATCH");
    merchant.warehouse("Norte").await;
    merchant.patch(&path, json!({"name": "NORTE"})).await.expect_problem(409, "WAREHOUSE_NAME_TAKEN");
}

#[tokio::test]
async fn another_company_sees_no_warehouse() {
    let app = TestApp::start(quenty_order::service()).await;
    let (merchant, other) = (Merchant::new(&app), Merchant::new(&app));
    let path = format!("/api/v1/warehouses/{}", merchant.warehouse("Centro").await);
    other.get(&path).await.expect_problem(404, "NOT_FOUND");
    other.patch(&path, json!({"name": "x"})).await.expect_problem(404, "NOT_FOUND");
    assert_eq!(other.get("/api/v1/warehouses").await.expect(200).json()["items"], json!([]));
    other.warehouse("Centro").await;
}
