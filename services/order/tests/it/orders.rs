use futures_util::future::join_all;
use quenty_kernel::id::{CompanyId, OrderId};
use quenty_testkit::TestApp;
use serde_json::{Value, json};

use crate::{
    customers::hear_customer,
    merchant::{Merchant, assert_stock_is_its_ledger, patiently},
    shop::{Shop, consignee, hear_standing, order, standing, standing_still},
};

fn cop(amount: &str) -> Value {
    json!({"amount": amount, "currency": "COP"})
}

#[tokio::test]
async fn prices_come_from_the_catalogue_and_totals_are_recomputed() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let lines = json!([
        {"sku": "cam-1", "quantity": 2, "discount": cop("10000.00"), "tax": cop("17100.00")},
        {"product_id": shop.product, "quantity": 1, "unit_price": cop("45000.00")},
    ]);
    let more = json!({"lines": lines, "discount": cop("5000.00"), "shipping": cop("8000.00"), "expected_total": cop("155100.00")});
    let placed = shop.try_place(more.clone()).await.expect(201);
    let order = placed.json();
    assert_eq!(
        placed.header("location"),
        Some(format!("/api/v1/orders/{}", order["id"].as_str().unwrap()).as_str())
    );
    let totals = json!({"subtotal": cop("145000.00"), "discount": cop("15000.00"), "shipping": cop("8000.00"), "tax": cop("17100.00"), "total": cop("155100.00")});
    assert_eq!(order["totals"], totals);
    assert_eq!(order["lines"][0]["total"], cop("107100.00"));
    assert_eq!(order["sender"]["name"], "Tienda Sol");
    assert_eq!(shop.stock().await, (100, 3, 97), "the same product on two lines is one wish");
    let mut wrong = more;
    wrong["expected_total"] = cop("155100.01");
    let refused = shop.try_place(wrong).await.expect_problem(422, "TOTAL_MISMATCH").json();
    assert_eq!(refused["totals"], totals);
    assert_eq!(shop.stock().await, (100, 3, 97));
}

#[tokio::test]
async fn a_quote_says_what_placing_would_do_and_keeps_nothing() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let quote = shop.merchant.post("/api/v1/orders/quote", shop.order(json!({}))).await.expect(200).json();
    assert_eq!(
        (&quote["totals"]["total"], &quote["warehouse_id"]),
        (&cop("100000.00"), &json!(shop.warehouse))
    );
    assert_eq!(quote["parcels"], json!([{"weight_grams": 400, "fragile": false}]));
    // Looking waits for nobody.
    let mut selling = app.app.db().begin().await.unwrap();
    sqlx::query("select from stock_levels for update").execute(&mut *selling).await.unwrap();
    shop.merchant.post("/api/v1/orders/quote", shop.order(json!({}))).await.expect(200);
    selling.rollback().await.unwrap();
    let many = json!([{"product_id": shop.product, "quantity": 101}]);
    let short = shop.merchant.post("/api/v1/orders/quote", shop.order(json!({"lines": many}))).await;
    short.expect_problem(409, "INSUFFICIENT_STOCK");
    let waits = shop.order(json!({"lines": many, "allow_backorder": true}));
    assert_eq!(
        shop.merchant.post("/api/v1/orders/quote", waits).await.expect(200).json()["backordered"],
        true
    );
    assert_eq!(shop.stock().await, (100, 0, 100));
    assert_eq!(shop.merchant.get("/api/v1/orders").await.expect(200).json()["items"], json!([]));
    app.assert_sound().await;
}

#[tokio::test]
async fn a_reference_names_one_order_of_a_company() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({"external_reference": "#1001"})).await;
    let taken = shop
        .try_place(json!({"external_reference": "#1001"}))
        .await
        .expect_problem(409, "REFERENCE_TAKEN")
        .json();
    assert_eq!(taken["order_id"], json!(id));
    let found = shop.merchant.get("/api/v1/orders/by-reference/%231001").await.expect(200).json();
    assert_eq!(found["id"], json!(id));
    shop.merchant.get("/api/v1/orders/by-reference/%231002").await.expect_problem(404, "NOT_FOUND");
    let other = Merchant::new(&app);
    other.get("/api/v1/orders/by-reference/%231001").await.expect_problem(404, "NOT_FOUND");
    other.get(&format!("/api/v1/orders/{id}")).await.expect_problem(404, "NOT_FOUND");
    // At once, one wins.
    let tries = join_all((0..8).map(|_| shop.try_place(json!({"external_reference": "#1002"})))).await;
    assert_eq!(tries.iter().filter(|answer| answer.status() == 201).count(), 1);
    assert!(tries.iter().all(|answer| answer.status() == 201 || answer.code() == "REFERENCE_TAKEN"));
    assert_eq!(shop.stock().await, (100, 4, 96));
}

#[tokio::test]
async fn an_order_abroad_is_international() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let abroad = json!({"kind": "express", "consignee": consignee("MX")});
    shop.try_place(abroad.clone()).await.expect_problem(409, "KYC_REQUIRED");
    assert_eq!(shop.stock().await, (100, 0, 100), "a refusal leaves nothing behind");
    let mut verified = standing(shop.merchant.company);
    (verified.version, verified.may_ship_internationally) = (2, true);
    hear_standing(&app, verified).await;
    let id = shop.place(abroad).await;
    assert_eq!(shop.get(id).await["kind"], "international");
    let asked =
        app.facts(id).await.into_iter().find(|fact| fact.kind.ends_with("shipment_requested.v1")).unwrap();
    assert_eq!(
        (&asked.data["incoterm"], &asked.data["cash_on_delivery"]),
        (&json!("DAP"), &cop("100000.00"))
    );
    shop.try_place(json!({"kind": "international"})).await.expect_problem(422, "NOT_INTERNATIONAL");
}

#[tokio::test]
async fn lists_are_narrowed_by_what_matters() {
    let app = standing_still().await;
    let shop = Shop::open(&app).await;
    let customer = hear_customer(&app, shop.merchant.company).await;
    let prepaid = shop
        .place(json!({"payment_method": "prepaid", "external_reference": "A", "customer_id": customer}))
        .await;
    let express = shop.place(json!({"kind": "express"})).await;
    shop.act(express, "hold", json!({"reason": "wait"})).await.expect(200);
    for (query, expected) in [
        ("", vec![express, prepaid]),
        ("?status=pending", vec![prepaid]),
        ("?external_reference=A", vec![prepaid]),
        (&format!("?customer_id={customer}"), vec![prepaid]),
        ("?kind=express", vec![express]),
        ("?payment_status=unpaid", vec![prepaid]),
        ("?on_hold=true", vec![express]),
        ("?on_hold=false", vec![prepaid]),
        ("?created_from=2026-03-02T12:00:00Z", vec![express, prepaid]),
        ("?created_to=2026-03-02T12:00:00Z", vec![]),
        ("?limit=1", vec![express]),
    ] {
        let list = shop.merchant.get(&format!("/api/v1/orders{query}")).await.expect(200).json();
        let ids: Vec<OrderId> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|order| order["id"].as_str().unwrap().parse().unwrap())
            .collect();
        assert_eq!(ids, expected, "{query}");
        assert_eq!(list["next_cursor"].is_string(), query == "?limit=1");
    }
    let foreign = Merchant { company: CompanyId::new(), ..Merchant::new(&app) };
    assert_eq!(foreign.get("/api/v1/orders").await.expect(200).json()["items"], json!([]));
}

#[tokio::test]
async fn an_order_can_be_seen_as_it_was() {
    let app = standing_still().await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({"payment_method": "prepaid", "notes": "ring twice"})).await;
    app.advance_to(app.now() + jiff::SignedDuration::from_hours(1));
    let paid = json!({"amount": cop("100000.00")});
    shop.act(id, "payments", paid).await.expect(200);
    let before = shop
        .merchant
        .get(&format!("/api/v1/orders/{id}?as_of=2026-03-02T12:30:00Z"))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&before["status"], &before["payment_status"], &before["notes"]),
        (&json!("pending"), &json!("unpaid"), &json!("ring twice"))
    );
    assert_eq!(before["consignee"], consignee("CO"));
    shop.merchant
        .get(&format!("/api/v1/orders/{id}?as_of=2026-03-02T11:59:59Z"))
        .await
        .expect_problem(404, "NOT_FOUND");
    let events = shop.merchant.get(&format!("/api/v1/orders/{id}/events")).await.expect(200).json();
    assert_eq!(events["items"][0]["type"], "quenty.order.order.placed.v1");
    assert_eq!(events["items"].as_array().unwrap().len(), 4);
    // Page by page as at once.
    for list in ["events", "timeline"] {
        let path = format!("/api/v1/orders/{id}/{list}");
        let whole = shop.merchant.get(&path).await.expect(200).json();
        assert_eq!(whole["next_cursor"], json!(null));
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = shop.merchant.get(&format!("{path}?limit=1{cursor}")).await.expect(200).json();
            items.extend(page["items"].as_array().unwrap().clone());
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(json!(items), whole["items"], "{list}");
        assert!(items.len() > 2, "{list}");
        let stranger = Merchant::new(&app);
        stranger.get(&format!("{path}?limit=1{cursor}")).await.expect_problem(404, "NOT_FOUND");
    }
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn an_update_is_conditional_and_stays_in_its_country() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({"notes": "ring twice"})).await;
    let path = format!("/api/v1/orders/{id}");
    let mut moved = consignee("CO");
    moved["address"]["line1"] = json!("Calle 100 # 8-20");
    let stale = app
        .patch(&path)
        .token(&shop.merchant.token)
        .header("if-match", "\"1\"")
        .json(&json!({"consignee": moved}))
        .send()
        .await;
    stale.expect_problem(412, "VERSION_MISMATCH");
    let updated =
        shop.merchant.patch(&path, json!({"consignee": moved, "notes": null})).await.expect(200).json();
    assert_eq!((&updated["consignee"], &updated["notes"]), (&moved, &json!(null)));
    shop.merchant
        .patch(&path, json!({"consignee": consignee("PE")}))
        .await
        .expect_problem(409, "COUNTRY_FIXED");
    let version = updated["version"].clone();
    assert_eq!(
        shop.merchant.patch(&path, json!({})).await.expect(200).json()["version"],
        version,
        "nothing changed"
    );
    shop.cancel(id).await.expect(200);
    shop.merchant.patch(&path, json!({"notes": "x"})).await.expect_problem(409, "ORDER_NOT_UPDATABLE");
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn credit_is_not_given_yet_and_goods_without_a_price_are_paid() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    shop.try_place(json!({"payment_method": "credit"})).await.expect_problem(409, "CREDIT_NOT_AVAILABLE");
    let free = json!([{"product_id": shop.product, "quantity": 1, "unit_price": cop("0.00")}]);
    let id = shop.place(json!({"payment_method": "prepaid", "lines": free.clone()})).await;
    let order = shop.get(id).await;
    assert_eq!((&order["status"], &order["payment_status"]), (&json!("confirmed"), &json!("paid")));
    let at_the_door = shop.place(json!({"lines": free})).await;
    assert_eq!(shop.get(at_the_door).await["payment_status"], "paid", "there is nothing to collect");
    let asked =
        app.facts(at_the_door).await.into_iter().find(|fact| fact.kind.ends_with("shipment_requested.v1"));
    assert_eq!(asked.unwrap().data["cash_on_delivery"], json!(null));
}

#[tokio::test]
async fn of_the_last_ten_pieces_sixty_four_orders_get_ten() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let last = shop.merchant.product("LAST", json!({})).await;
    shop.merchant.receive(&last, &shop.warehouse, 10).await;
    let one = order(&last, json!({"lines": [{"product_id": last, "quantity": 1}]}));
    let answers = join_all(
        (0..64).map(|_| patiently(async || shop.merchant.post("/api/v1/orders", one.clone()).await)),
    )
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status() == 201).count(), 10);
    for answer in answers.iter().filter(|answer| answer.status() != 201) {
        answer.clone().expect_problem(409, "INSUFFICIENT_STOCK");
    }
    assert_eq!(shop.merchant.stock(&last, &shop.warehouse).await, (10, 10, 0));
    assert_stock_is_its_ledger(&app).await;
    app.assert_sound().await;
}
