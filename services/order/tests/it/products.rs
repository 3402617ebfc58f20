use quenty_testkit::TestApp;
use serde_json::json;

use crate::merchant::{Merchant, product};

#[tokio::test]
async fn create_product_keeps_what_it_is_told() {
    let app = TestApp::start(quenty_order::service()).await;
    let merchant = Merchant::new(&app);
    let more = json!({
        "description": "Algodón", "category": "ropa", "cost": {"amount": "20000.00", "currency": "COP"}, "hs_code": "6109.10",
        "dimensions": {"length_mm": 300, "width_mm": 200, "height_mm": 20}, "country_of_origin": "CO", "reorder_point": 5,
        "reorder_quantity": 50, "lead_time_days": 12,
    });
    let made = merchant.post("/api/v1/products", product("CAM-1", more)).await.expect(201);
    assert_eq!(made.header("etag"), Some("\"1\""));
    let path = made.header("location").unwrap().to_owned();
    let read = merchant.get(&path).await.expect(200);
    assert_eq!(read.json(), made.json());
    let body = read.json();
    assert_eq!(body["hs_code"], "610910");
    assert_eq!(
        (&body["status"], &body["estimated"], &body["low_stock"]),
        (&json!("active"), &json!(false), &json!(false))
    );
    assert_eq!(body["lead_time_days"], 12);
    app.assert_sound().await;
}

#[tokio::test]
async fn a_sku_is_taken_in_any_case_and_by_the_company_alone() {
    let app = TestApp::start(quenty_order::service()).await;
    let (merchant, other) = (Merchant::new(&app), Merchant::new(&app));
    let id = merchant.product("Cam-1", json!({})).await;
    merchant.post("/api/v1/products", product("CAM-1", json!({}))).await.expect_problem(409, "SKU_TAKEN");
    merchant.delete(&format!("/api/v1/products/{id}")).await.expect(204);
    merchant.post("/api/v1/products", product("cam-1", json!({}))).await.expect_problem(409, "SKU_TAKEN");
    other.product("CAM-1", json!({})).await;
    let found = merchant.get("/api/v1/products?sku=cAM-1").await.expect(200).json();
    assert_eq!(found["items"][0]["id"], json!(id));
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn update_product_changes_what_is_named_and_empties_what_is_null() {
    let app = TestApp::start(quenty_order::service()).await;
    let merchant = Merchant::new(&app);
    let id = merchant.product("CAM-1", json!({"category": "ropa", "hs_code": "610910"})).await;
    let path = format!("/api/v1/products/{id}");
    let updated = merchant.patch(&path, json!({"name": "Camiseta azul", "hs_code": null})).await.expect(200);
    assert_eq!(updated.header("etag"), Some("\"2\""));
    let body = updated.json();
    assert_eq!(
        (&body["name"], &body["hs_code"], &body["category"]),
        (&json!("Camiseta azul"), &json!(null), &json!("ropa"))
    );
    let stale = app
        .patch(&path)
        .token(&merchant.token)
        .header("if-match", "\"1\"")
        .json(&json!({"name": "x"}))
        .send()
        .await;
    stale.expect_problem(412, "VERSION_MISMATCH");
    merchant.patch(&path, json!({"name": "Camiseta azul"})).await.expect(200);
    assert_eq!(
        app.facts(id.parse::<quenty_kernel::id::ProductId>().unwrap()).await.len(),
        2,
        "a change of nothing is no fact"
    );
    merchant.patch(&path, json!({"sku": "X"})).await.expect_problem(422, "INVALID_BODY");
}

#[tokio::test]
async fn an_archived_product_stays_readable_and_unchanged() {
    let app = TestApp::start(quenty_order::service()).await;
    let merchant = Merchant::new(&app);
    let id = merchant.product("CAM-1", json!({})).await;
    let path = format!("/api/v1/products/{id}");
    merchant.delete(&path).await.expect(204);
    merchant.delete(&path).await.expect(204);
    assert_eq!(merchant.get(&path).await.expect(200).json()["status"], "archived");
    merchant.patch(&path, json!({"name": "x"})).await.expect_problem(409, "PRODUCT_ARCHIVED");
    let active = merchant.get("/api/v1/products?status=active").await.expect(200).json();
    assert_eq!(active["items"], json!([]));
    assert_eq!(app.facts(id.parse::<quenty_kernel::id::ProductId>().unwrap()).await.len(), 2);
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_with_its_field() {
    let app = TestApp::start(quenty_order::service()).await;
    let merchant = Merchant::new(&app);
    let price = |amount: &str| json!({"price": {"amount": amount, "currency": "COP"}});
    merchant
        .post("/api/v1/products", product("A", price("-1.00")))
        .await
        .expect_problem(422, "NEGATIVE_AMOUNT");
    for (more, pointer) in [
        (price("1.001"), "/price"),
        (json!({"weight_grams": 0}), "/weight_grams"),
        (json!({"hs_code": "12345"}), "/hs_code"),
        (json!({"reorder_point": 1_000_000_001_u32}), "/reorder_point"),
        (json!({"reorder_quantity": 0}), "/reorder_quantity"),
        (json!({"sku": " "}), "/sku"),
        (json!({"colour": "blue"}), "/colour"),
    ] {
        let refused =
            merchant.post("/api/v1/products", product("A", more)).await.expect_problem(422, "INVALID_BODY");
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{}", refused.text());
    }
    merchant.get("/api/v1/products?status=sold").await.expect_problem(422, "INVALID_QUERY");
}

#[tokio::test]
async fn another_company_sees_no_product() {
    let app = TestApp::start(quenty_order::service()).await;
    let (merchant, other) = (Merchant::new(&app), Merchant::new(&app));
    let path = format!("/api/v1/products/{}", merchant.product("CAM-1", json!({})).await);
    other.get(&path).await.expect_problem(404, "NOT_FOUND");
    other.patch(&path, json!({"name": "x"})).await.expect_problem(404, "NOT_FOUND");
    other.delete(&path).await.expect_problem(404, "NOT_FOUND");
    assert_eq!(other.get("/api/v1/products").await.expect(200).json()["items"], json!([]));
}

#[tokio::test]
async fn products_are_listed_page_by_page_newest_first() {
    let app = TestApp::start(quenty_order::service()).await;
    let merchant = Merchant::new(&app);
    for number in 0..5 {
        merchant.product(&format!("P-{number}"), json!({})).await;
    }
    let (mut seen, mut path) = (Vec::new(), "/api/v1/products?limit=2".to_owned());
    loop {
        let page = merchant.get(&path).await.expect(200).json();
        seen.extend(
            page["items"].as_array().unwrap().iter().map(|item| item["sku"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/products?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, ["P-4", "P-3", "P-2", "P-1", "P-0"]);
}
