use quenty_kernel::id::{MovementId, ProductId, WarehouseId};
use quenty_testkit::TestApp;
use serde_json::json;

use crate::merchant::{Merchant, assert_stock_is_its_ledger};

#[tokio::test]
async fn a_receipt_is_a_row_of_the_ledger_and_is_told() {
    let app = TestApp::start(quenty_order::service()).await;
    let merchant = Merchant::new(&app);
    let (product, warehouse) =
        (merchant.product("CAM-1", json!({})).await, merchant.warehouse("Centro").await);
    let receipt = json!({
        "kind": "receipt", "product_id": product, "warehouse_id": warehouse, "quantity": 25, "reference": "Remisión 7",
        "unit_cost": {"amount": "20000.00", "currency": "COP"}, "batch": {"number": "L-1", "expires_on": "2031-01-31"},
    });
    let made = merchant.post("/api/v1/inventory/movements", receipt).await.expect(201).json();
    assert_eq!((&made["on_hand_delta"], &made["reserved_delta"]), (&json!(25), &json!(0)));
    let listed = merchant
        .get(&format!("/api/v1/inventory/movements?product={product}&kind=receipt"))
        .await
        .expect(200)
        .json();
    assert_eq!(listed["items"], json!([made]));
    let facts = app.facts(made["id"].as_str().unwrap().parse::<MovementId>().unwrap()).await;
    assert_eq!(facts[0].kind, "quenty.order.stock.received.v1");
    let inventory = merchant.get("/api/v1/inventory").await.expect(200).json();
    let item = &inventory["items"][0];
    assert_eq!(
        (&item["sku"], &item["warehouse"], &item["available"]),
        (&json!("CAM-1"), &json!("Centro"), &json!(25))
    );
    assert_eq!(item["batch"], json!({"number": "L-1", "expires_on": "2031-01-31"}));
    assert_stock_is_its_ledger(&app).await;
    app.assert_sound().await;
}

#[tokio::test]
async fn nothing_is_taken_that_is_not_there() {
    let app = TestApp::start(quenty_order::service()).await;
    let merchant = Merchant::new(&app);
    let (product, warehouse) =
        (merchant.product("CAM-1", json!({})).await, merchant.warehouse("Centro").await);
    merchant.receive(&product, &warehouse, 10).await;
    let refused =
        merchant.adjust(&product, &warehouse, -11).await.expect_problem(409, "INSUFFICIENT_STOCK").json();
    assert_eq!(
        (&refused["products"][0]["wanted"], &refused["products"][0]["available"][0]["available"]),
        (&json!(11), &json!(10))
    );
    assert_eq!(refused["products"][0].get("batches"), None);
    for kind in ["issue", "write_off"] {
        let take = json!({"kind": kind, "product_id": product, "warehouse_id": warehouse, "quantity": 4, "reason": "broken"});
        merchant.post("/api/v1/inventory/movements", take).await.expect(201);
    }
    merchant.adjust(&product, &warehouse, 3).await.expect(201);
    merchant.adjust(&product, &warehouse, -5).await.expect(201);
    assert_eq!(merchant.stock(&product, &warehouse).await, (0, 0, 0));
    assert_stock_is_its_ledger(&app).await;
}

#[tokio::test]
async fn who_takes_out_of_a_batch_names_it() {
    let app = TestApp::start(quenty_order::service()).await;
    let merchant = Merchant::new(&app);
    let (product, warehouse) =
        (merchant.product("CAM-1", json!({})).await, merchant.warehouse("Centro").await);
    merchant.receive_batch(&product, &warehouse, ("L-1", "2031-01-31"), 100).await;
    merchant.receive_batch(&product, &warehouse, ("L-2", "2031-02-28"), 3).await;
    let write_off = async |batch: serde_json::Value| {
        let movement = json!({"kind": "write_off", "product_id": product, "warehouse_id": warehouse, "quantity": 5,
            "reason": "broken", "batch": batch});
        merchant.post("/api/v1/inventory/movements", movement).await
    };
    for (batch, there, beside) in [
        (
            json!(null),
            json!([]),
            json!([{"number": "L-1", "available": 100}, {"number": "L-2", "available": 3}]),
        ),
        (
            json!({"number": "L-2"}),
            json!([{"warehouse_id": warehouse, "warehouse": "Centro", "available": 3}]),
            json!([{"number": "L-1", "available": 100}]),
        ),
    ] {
        let refused = write_off(batch).await.expect_problem(409, "INSUFFICIENT_STOCK").json();
        assert_eq!(
            (&refused["products"][0]["available"], &refused["products"][0]["batches"]),
            (&there, &beside)
        );
        assert!(refused["detail"].as_str().unwrap().contains("name the batch"), "{refused:#}");
    }
    write_off(json!({"number": "L-1"})).await.expect(201);
    assert_eq!(merchant.stock(&product, &warehouse).await, (98, 0, 98));
    assert_stock_is_its_ledger(&app).await;
}

#[tokio::test]
async fn a_movement_obeys_the_rules_of_its_kind() {
    let app = TestApp::start(quenty_order::service()).await;
    let merchant = Merchant::new(&app);
    let (product, warehouse) =
        (merchant.product("CAM-1", json!({})).await, merchant.warehouse("Centro").await);
    let cost = json!({"amount": "1.00", "currency": "COP"});
    for (body, code, pointer) in [
        (json!({"kind": "receipt", "quantity": 0}), "INVALID_MOVEMENT", "/quantity"),
        (json!({"kind": "receipt", "quantity": -1}), "INVALID_MOVEMENT", "/quantity"),
        (json!({"kind": "receipt", "quantity": i64::MAX}), "INVALID_MOVEMENT", "/quantity"),
        (json!({"kind": "adjustment", "quantity": i64::MIN, "reason": "x"}), "INVALID_MOVEMENT", "/quantity"),
        (json!({"kind": "adjustment", "quantity": 1}), "INVALID_MOVEMENT", "/reason"),
        (
            json!({"kind": "write_off", "quantity": 1, "reason": "x", "unit_cost": cost}),
            "INVALID_MOVEMENT",
            "/unit_cost",
        ),
        (
            json!({"kind": "receipt", "quantity": 1, "unit_cost": {"amount": "-1.00", "currency": "COP"}}),
            "INVALID_MOVEMENT",
            "/unit_cost",
        ),
        (json!({"kind": "reserve", "quantity": 1}), "INVALID_BODY", "/kind"),
        (json!({"kind": "receipt", "quantity": 1.5}), "INVALID_BODY", "/quantity"),
        (
            json!({"kind": "receipt", "quantity": 1, "product_id": ProductId::new()}),
            "UNKNOWN_PRODUCT",
            "/product_id",
        ),
        (
            json!({"kind": "receipt", "quantity": 1, "warehouse_id": WarehouseId::new()}),
            "UNKNOWN_WAREHOUSE",
            "/warehouse_id",
        ),
    ] {
        let mut movement = json!({"product_id": product, "warehouse_id": warehouse});
        movement.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let refused =
            merchant.post("/api/v1/inventory/movements", movement).await.expect_problem(422, code).json();
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{body}");
    }
    assert_eq!(merchant.get("/api/v1/inventory/movements").await.expect(200).json()["items"], json!([]));
}

#[tokio::test]
async fn a_batch_has_one_expiry_date() {
    let app = TestApp::start(quenty_order::service()).await;
    let merchant = Merchant::new(&app);
    let (product, warehouse) =
        (merchant.product("CAM-1", json!({})).await, merchant.warehouse("Centro").await);
    let receipt = |date: &str| {
        let batch = json!({"number": "L-1", "expires_on": date});
        json!({"kind": "receipt", "product_id": product, "warehouse_id": warehouse, "quantity": 1, "batch": batch})
    };
    merchant.post("/api/v1/inventory/movements", receipt("2031-01-31")).await.expect(201);
    merchant.post("/api/v1/inventory/movements", receipt("2031-01-31")).await.expect(201);
    merchant
        .post("/api/v1/inventory/movements", receipt("2031-02-28"))
        .await
        .expect_problem(409, "BATCH_EXPIRY_DIFFERS");
    assert_eq!(merchant.stock(&product, &warehouse).await, (2, 0, 2));
}

#[tokio::test]
async fn low_stock_is_told_once_at_each_edge() {
    let app = TestApp::start(quenty_order::service()).await;
    let merchant = Merchant::new(&app);
    let product = merchant.product("CAM-1", json!({"reorder_point": 10})).await;
    let (centro, norte) = (merchant.warehouse("Centro").await, merchant.warehouse("Norte").await);
    merchant.receive(&product, &centro, 15).await;
    merchant.receive(&product, &norte, 5).await;
    let low = async || merchant.get("/api/v1/products/low-stock").await.expect(200).json()["items"].clone();
    // 20 over both: 9 of them may go before it is low.
    merchant.adjust(&product, &centro, -9).await.expect(201);
    assert_eq!(low().await, json!([]));
    merchant.adjust(&product, &norte, -1).await.expect(201);
    assert_eq!((&low().await[0]["product_id"], &low().await[0]["available"]), (&json!(product), &json!(10)));
    merchant.adjust(&product, &norte, -1).await.expect(201);
    merchant.adjust(&product, &norte, 3).await.expect(201);
    assert_eq!(low().await[0]["available"], 12, "twelve is not yet a fifth above ten");
    let listed = merchant.get("/api/v1/inventory?low_stock=true").await.expect(200).json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    merchant.adjust(&product, &norte, 1).await.expect(201);
    assert_eq!(low().await, json!([]));
    let facts = app.facts(product.parse::<ProductId>().unwrap()).await;
    let kinds: Vec<_> = facts.iter().map(|fact| fact.kind.split('.').nth(3).unwrap()).collect();
    assert_eq!(kinds, ["created", "fell_low", "recovered"]);
}

#[tokio::test]
async fn another_reorder_point_may_raise_or_end_the_alarm() {
    let app = TestApp::start(quenty_order::service()).await;
    let merchant = Merchant::new(&app);
    let (product, warehouse) =
        (merchant.product("CAM-1", json!({})).await, merchant.warehouse("Centro").await);
    merchant.receive(&product, &warehouse, 5).await;
    let path = format!("/api/v1/products/{product}");
    let low = async |reorder_point: serde_json::Value| {
        merchant.patch(&path, json!({"reorder_point": reorder_point})).await.expect(200).json()["low_stock"]
            .as_bool()
            .unwrap()
    };
    assert!(low(json!(5)).await);
    assert!(!low(json!(2)).await);
    assert!(low(json!(50)).await);
    assert!(!low(json!(null)).await);
    merchant.adjust(&product, &warehouse, -5).await.expect(201);
    assert_eq!(merchant.get("/api/v1/products/low-stock").await.expect(200).json()["items"], json!([]));
}

#[tokio::test]
async fn another_company_neither_sees_nor_moves_stock() {
    let app = TestApp::start(quenty_order::service()).await;
    let (merchant, other) = (Merchant::new(&app), Merchant::new(&app));
    let (product, warehouse) =
        (merchant.product("CAM-1", json!({"reorder_point": 99})).await, merchant.warehouse("Centro").await);
    merchant.receive(&product, &warehouse, 5).await;
    let (own_product, own_warehouse) =
        (other.product("CAM-1", json!({})).await, other.warehouse("Centro").await);
    for path in ["/api/v1/inventory", "/api/v1/inventory/movements", "/api/v1/products/low-stock"] {
        assert_eq!(other.get(path).await.expect(200).json()["items"], json!([]), "{path}");
    }
    other.adjust(&product, &own_warehouse, 1).await.expect_problem(422, "UNKNOWN_PRODUCT");
    other.adjust(&own_product, &warehouse, 1).await.expect_problem(422, "UNKNOWN_WAREHOUSE");
    assert_eq!(merchant.stock(&product, &warehouse).await, (5, 0, 5));
}

#[tokio::test]
async fn the_ledger_is_final() {
    let app = TestApp::start(quenty_order::service()).await;
    let merchant = Merchant::new(&app);
    let (product, warehouse) =
        (merchant.product("CAM-1", json!({})).await, merchant.warehouse("Centro").await);
    merchant.receive(&product, &warehouse, 5).await;
    for statement in ["update stock_movements set on_hand_delta = 9", "delete from stock_movements"] {
        let refused = sqlx::query(statement).execute(app.app.db()).await.unwrap_err().to_string();
        assert!(refused.contains("never changed or deleted"), "{refused}");
    }
}

#[tokio::test]
async fn the_same_idempotency_key_moves_stock_once() {
    let app = TestApp::start(quenty_order::service()).await;
    let merchant = Merchant::new(&app);
    let (product, warehouse) =
        (merchant.product("CAM-1", json!({})).await, merchant.warehouse("Centro").await);
    let receipt = json!({"kind": "receipt", "product_id": product, "warehouse_id": warehouse, "quantity": 5});
    let send = || {
        app.post("/api/v1/inventory/movements")
            .token(&merchant.token)
            .idempotency_key("k-1")
            .json(&receipt)
            .send()
    };
    let (first, again) = (send().await.expect(201), send().await.expect(201));
    assert_eq!(first.json(), again.json());
    assert_eq!(merchant.stock(&product, &warehouse).await, (5, 0, 5));
}
