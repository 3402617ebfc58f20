use quenty_kernel::id::TransferId;
use quenty_platform::operate;
use quenty_testkit::TestApp;
use serde_json::json;

use crate::merchant::{Merchant, assert_stock_is_its_ledger};

#[tokio::test]
async fn goods_in_transit_are_in_no_warehouse() {
    let app = TestApp::start(quenty_order::service()).await;
    let merchant = Merchant::new(&app);
    let product = merchant.product("CAM-1", json!({})).await;
    let (from, to) = (merchant.warehouse("Centro").await, merchant.warehouse("Norte").await);
    merchant.receive(&product, &from, 10).await;
    // The same product on two lines is one wish.
    let lines = json!([{"product_id": product, "quantity": 4}, {"product_id": product, "quantity": 2}]);
    let transfer = json!({"from_warehouse_id": from, "to_warehouse_id": to, "lines": lines});
    let sent = merchant.post("/api/v1/inventory/transfers", transfer).await.expect(201).json();
    assert_eq!((&sent["status"], &sent["quantities"][0]["quantity"]), (&json!("in_transit"), &json!(6)));
    assert_eq!(merchant.stock(&product, &from).await, (4, 0, 4));
    assert_eq!(merchant.stock(&product, &to).await, (0, 0, 0));
    let own = format!("/api/v1/inventory/transfers/{}", sent["id"].as_str().unwrap());
    assert_eq!(merchant.get(&own).await.expect(200).json(), sent);
    // Doctor tells of a transfer that is said to be there while its goods are nowhere.
    let invariants = app.app.service().invariants;
    let whole = invariants.iter().find(|of| of.name == "transfers_bring_what_they_took").unwrap();
    for (status, violations) in [("received", 1), ("in_transit", 0)] {
        let set = sqlx::query("update transfers set status = $1").bind(status);
        set.execute(app.app.db()).await.unwrap();
        assert_eq!(operate::violations(app.app.db(), whole).await.unwrap(), violations);
    }
    let path = format!("{own}/receive");
    let received = merchant.post(&path, json!({})).await.expect(200).json();
    assert_eq!(
        (&received["status"], &received["quantities"][0]["warehouse_id"]),
        (&json!("received"), &json!(to))
    );
    assert_eq!(merchant.stock(&product, &to).await, (6, 0, 6));
    assert_eq!(merchant.get(&own).await.expect(200).json(), received);
    for (query, items) in
        [("", json!([received])), ("?status=received", json!([received])), ("?status=in_transit", json!([]))]
    {
        let list = merchant.get(&format!("/api/v1/inventory/transfers{query}")).await.expect(200).json();
        assert_eq!(list["items"], items, "{query}");
    }
    let other = Merchant::new(&app);
    other.get(&own).await.expect_problem(404, "NOT_FOUND");
    assert_eq!(other.get("/api/v1/inventory/transfers").await.expect(200).json()["items"], json!([]));
    merchant.post(&path, json!({})).await.expect_problem(409, "TRANSFER_ALREADY_RECEIVED");
    assert_stock_is_its_ledger(&app).await;
    app.assert_sound().await;
}

#[tokio::test]
async fn a_transfer_takes_the_oldest_batches_and_keeps_them() {
    let app = TestApp::start(quenty_order::service()).await;
    let merchant = Merchant::new(&app);
    let product = merchant.product("CAM-1", json!({})).await;
    let (from, to) = (merchant.warehouse("Centro").await, merchant.warehouse("Norte").await);
    for (number, date) in [("LATE", "2032-01-01"), ("SOON", "2031-01-01")] {
        let batch = json!({"number": number, "expires_on": date});
        let receipt = json!({"kind": "receipt", "product_id": product, "warehouse_id": from, "quantity": 5, "batch": batch});
        merchant.post("/api/v1/inventory/movements", receipt).await.expect(201);
    }
    let transfer = json!({"from_warehouse_id": from, "to_warehouse_id": to, "lines": [{"product_id": product, "quantity": 7}]});
    let sent = merchant.post("/api/v1/inventory/transfers", transfer).await.expect(201).json();
    merchant
        .post(&format!("/api/v1/inventory/transfers/{}/receive", sent["id"].as_str().unwrap()), json!({}))
        .await
        .expect(200);
    let arrived = merchant.get(&format!("/api/v1/inventory?warehouse={to}")).await.expect(200).json();
    let mut batches: Vec<_> = arrived["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["batch"].clone(), item["on_hand"].clone()))
        .collect();
    batches.sort_by_key(|(_, on_hand)| on_hand.as_i64());
    assert_eq!(batches[0], (json!({"number": "LATE", "expires_on": "2032-01-01"}), json!(2)));
    assert_eq!(batches[1], (json!({"number": "SOON", "expires_on": "2031-01-01"}), json!(5)));
    assert_stock_is_its_ledger(&app).await;
}

#[tokio::test]
async fn what_cannot_be_sent_stays() {
    let app = TestApp::start(quenty_order::service()).await;
    let (merchant, other) = (Merchant::new(&app), Merchant::new(&app));
    let (a, b) = (merchant.product("A", json!({})).await, merchant.product("B", json!({})).await);
    let (from, to) = (merchant.warehouse("Centro").await, merchant.warehouse("Norte").await);
    merchant.receive(&a, &from, 5).await;
    let transfer =
        |to: &str, lines| json!({"from_warehouse_id": from, "to_warehouse_id": to, "lines": lines});
    let send = async |body| merchant.post("/api/v1/inventory/transfers", body).await;
    let line = |product: &str, quantity: i64| json!({"product_id": product, "quantity": quantity});
    send(transfer(&to, json!([line(&a, 1), line(&b, 1)]))).await.expect_problem(409, "INSUFFICIENT_STOCK");
    send(transfer(&from, json!([line(&a, 1)]))).await.expect_problem(422, "SAME_WAREHOUSE");
    send(transfer(&to, json!([]))).await.expect_problem(422, "INVALID_LINES");
    send(transfer(&to, json!([line(&a, 0)]))).await.expect_problem(422, "INVALID_BODY");
    let far = other.warehouse("Lejos").await;
    let foreign = other.product("C", json!({})).await;
    let from_afar = json!({"from_warehouse_id": far, "to_warehouse_id": to, "lines": [line(&a, 1)]});
    for (body, code, pointer) in [
        (transfer(&far, json!([line(&a, 1)])), "UNKNOWN_WAREHOUSE", "/to_warehouse_id"),
        (from_afar, "UNKNOWN_WAREHOUSE", "/from_warehouse_id"),
        (transfer(&to, json!([line(&a, 1), line(&foreign, 1)])), "UNKNOWN_PRODUCT", "/lines/1/product_id"),
    ] {
        let refused = send(body).await.expect_problem(422, code).json();
        assert_eq!(refused["errors"][0]["pointer"], pointer);
    }
    assert_eq!(merchant.stock(&a, &from).await, (5, 0, 5));
    let sent = send(transfer(&to, json!([line(&a, 1)]))).await.expect(201).json();
    let path = format!("/api/v1/inventory/transfers/{}/receive", sent["id"].as_str().unwrap());
    other.post(&path, json!({})).await.expect_problem(404, "NOT_FOUND");
    merchant
        .post(&format!("/api/v1/inventory/transfers/{}/receive", TransferId::new()), json!({}))
        .await
        .expect_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_batch_that_the_destination_knows_otherwise_is_not_sent_and_what_is_sent_always_arrives() {
    let app = TestApp::start(quenty_order::service()).await;
    let merchant = Merchant::new(&app);
    let product = merchant.product("CAM-1", json!({})).await;
    let (from, to) = (merchant.warehouse("Centro").await, merchant.warehouse("Norte").await);
    let receive = async |warehouse: &str, number: &str, date: &str| {
        let batch = json!({"number": number, "expires_on": date});
        let receipt = json!({"kind": "receipt", "product_id": product, "warehouse_id": warehouse, "quantity": 5, "batch": batch});
        merchant.post("/api/v1/inventory/movements", receipt).await.expect(201);
    };
    let send = async || {
        let lines = json!([{"product_id": product, "quantity": 5}]);
        let body = json!({"from_warehouse_id": from, "to_warehouse_id": to, "lines": lines});
        merchant.post("/api/v1/inventory/transfers", body).await
    };
    receive(&from, "A", "2031-01-01").await;
    let sent = send().await.expect(201).json();
    // While it is on its way, somebody enters the batch with another date.
    receive(&to, "A", "2031-02-02").await;
    let path = format!("/api/v1/inventory/transfers/{}/receive", sent["id"].as_str().unwrap());
    merchant.post(&path, json!({})).await.expect(200);
    let there = merchant.get(&format!("/api/v1/inventory?warehouse={to}")).await.expect(200).json();
    assert_eq!(
        (&there["items"][0]["on_hand"], &there["items"][0]["batch"]["expires_on"]),
        (&json!(10), &json!("2031-02-02"))
    );
    receive(&from, "A", "2031-01-01").await;
    send().await.expect_problem(409, "BATCH_EXPIRY_DIFFERS");
    assert_eq!(merchant.stock(&product, &from).await, (5, 0, 5));
    assert_stock_is_its_ledger(&app).await;
}
