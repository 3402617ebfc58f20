//! Returned pieces that can be sold again.

use quenty_contracts::returns::ItemRestocked;
use quenty_kernel::{
    Envelope,
    currency::Currency,
    id::{DispositionId, MovementId, OrderId, ProductId, ReturnId},
    money::Money,
};
use quenty_testkit::{TestApp, eventually};
use serde_json::{Value, json};

use crate::{
    merchant::assert_stock_is_its_ledger,
    shop::{Road, Shop, standing_still},
};

fn restocked(shop: &Shop<'_>, disposition: &str) -> ItemRestocked {
    ItemRestocked {
        disposition_id: DispositionId::new(),
        return_id: ReturnId::new(),
        order_id: OrderId::new(),
        company_id: shop.merchant.company,
        product_id: shop.product.parse().unwrap(),
        sku: "CAM-1".to_owned(),
        warehouse_id: shop.warehouse.parse().unwrap(),
        batch: None,
        quantity: 1,
        disposition: disposition.to_owned(),
        condition: "good".to_owned(),
        value: Money::parse("35000", Currency::COP).unwrap(),
    }
}

fn told(shop: &Shop<'_>, item: &ItemRestocked) -> Envelope {
    shop.merchant.app.envelope(item.disposition_id, Some(item.company_id), 1, item)
}

async fn hear(shop: &Shop<'_>, item: &ItemRestocked) {
    shop.merchant.app.hear(item.disposition_id, Some(item.company_id), 1, item).await;
}

/// The ledger's movements of this kind, the latest first.
async fn returns(shop: &Shop<'_>) -> Vec<Value> {
    let list = shop.merchant.get("/api/v1/inventory/movements?kind=return").await.expect(200).json();
    list["items"].as_array().unwrap().clone()
}

/// The open box product, if there is one.
async fn open_box(shop: &Shop<'_>, sku: &str) -> Vec<Value> {
    let list = shop.merchant.get(&format!("/api/v1/products?sku={sku}")).await.expect(200).json();
    list["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_piece_as_new_goes_back_to_its_product_once() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let item = restocked(&shop, "resell_as_new");
    let envelope = told(&shop, &item);
    for _ in 0..2 {
        app.deliver(&envelope).await;
    }
    assert_eq!(shop.stock().await, (101, 0, 101));
    let ledger = returns(&shop).await;
    assert_eq!(ledger.len(), 1, "delivered twice, it came back once");
    assert_eq!(
        (&ledger[0]["product_id"], &ledger[0]["on_hand_delta"], &ledger[0]["reservation_id"]),
        (&json!(shop.product), &json!(1), &json!(null))
    );
    assert_eq!(
        (&ledger[0]["reference"], &ledger[0]["reason"], &ledger[0]["actor"]),
        (&json!(item.return_id), &json!("resell_as_new, good"), &json!("service:returns"))
    );
    let facts = app.facts(ledger[0]["id"].as_str().unwrap().parse::<MovementId>().unwrap()).await;
    assert_eq!(facts[0].kind, "quenty.order.stock.adjusted.v1");
    assert_eq!((&facts[0].data["kind"], &facts[0].data["on_hand_delta"]), (&json!("return"), &json!(1)));
    assert_stock_is_its_ledger(&app).await;
    app.assert_sound().await;
}

#[tokio::test]
async fn an_opened_piece_is_sold_under_a_sibling_that_the_first_one_makes() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let product = shop
        .merchant
        .product(
            "TEL-1",
            json!({"name": "Teléfono", "category": "phones", "hs_code": "851713", "country_of_origin": "CN", "reorder_point": 3,
                   "dimensions": {"length_mm": 150, "width_mm": 70, "height_mm": 10}}),
        )
        .await;
    let item = |value: &str| ItemRestocked {
        product_id: product.parse().unwrap(),
        value: Money::parse(value, Currency::COP).unwrap(),
        ..restocked(&shop, "resell_open_box")
    };
    hear(&shop, &item("35000")).await;
    hear(&shop, &item("20000")).await;
    let found = open_box(&shop, "TEL-1-OPENBOX").await;
    assert_eq!(found.len(), 1, "{found:#?}");
    let sibling = &found[0];
    assert_eq!(
        (&sibling["name"], &sibling["price"]),
        (&json!("Teléfono (open box)"), &json!({"amount": "35000.00", "currency": "COP"}))
    );
    let sold = shop.merchant.get(&format!("/api/v1/products/{product}")).await.expect(200).json();
    for field in ["weight_grams", "category", "dimensions", "hs_code", "country_of_origin"] {
        assert!(!sold[field].is_null() && sibling[field] == sold[field], "{field}: {sibling:#}");
    }
    assert_eq!(sibling["reorder_point"], json!(null));
    let id = sibling["id"].as_str().unwrap();
    assert_eq!(shop.merchant.stock(id, &shop.warehouse).await, (2, 0, 2));
    assert_eq!(shop.merchant.stock(&product, &shop.warehouse).await, (0, 0, 0));
    let made = app.facts(id.parse::<ProductId>().unwrap()).await;
    assert_eq!(made[0].kind, "quenty.order.product.created.v1");
    // It is sold like any other, and comes back under itself.
    let line = json!([{"product_id": id, "quantity": 1}]);
    let order = shop.place(json!({"lines": line})).await;
    let again = ItemRestocked { product_id: id.parse().unwrap(), ..restocked(&shop, "resell_open_box") };
    hear(&shop, &again).await;
    assert_eq!(shop.merchant.stock(id, &shop.warehouse).await, (3, 1, 2));
    shop.assert_sound(order).await;
}

#[tokio::test]
async fn a_batch_keeps_its_expiry_date_also_as_open_box_and_elsewhere() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let batch = json!({"number": "L-1", "expires_on": "2031-01-31"});
    let receipt = json!({"kind": "receipt", "product_id": shop.product, "warehouse_id": shop.warehouse, "quantity": 1, "batch": batch});
    shop.merchant.post("/api/v1/inventory/movements", receipt).await.expect(201);
    let elsewhere = shop.merchant.warehouse("Norte").await;
    let of = |disposition: &str, warehouse: &str| ItemRestocked {
        batch: Some("L-1".to_owned()),
        warehouse_id: warehouse.parse().unwrap(),
        ..restocked(&shop, disposition)
    };
    hear(&shop, &of("resell_as_new", &shop.warehouse)).await;
    hear(&shop, &of("resell_as_new", &elsewhere)).await;
    hear(&shop, &of("resell_open_box", &elsewhere)).await;
    let ledger = returns(&shop).await;
    assert_eq!(ledger.len(), 3);
    assert!(ledger.iter().all(|movement| movement["batch"] == batch), "{ledger:#?}");
    let of_the_batch = shop.merchant.get("/api/v1/inventory").await.expect(200).json();
    let places = of_the_batch["items"].as_array().unwrap().iter().filter(|item| item["batch"] == batch);
    assert_eq!(places.count(), 3, "where it lay before, elsewhere, and under the sibling");
    app.assert_sound().await;
}

#[tokio::test]
async fn a_piece_of_no_known_batch_is_of_that_one_of_its_order_that_expires_first() {
    let app = standing_still().await;
    let shop = Shop::open(&app).await;
    let melon = shop.merchant.product("MELON", json!({})).await;
    for batch in [("L-1", "2026-03-03"), ("L-2", "2026-03-10")] {
        shop.merchant.receive_batch(&melon, &shop.warehouse, batch, 1).await;
    }
    let lines = |quantity: u32| json!({"lines": [{"product_id": melon, "quantity": quantity}]});
    let id = shop.place(lines(2)).await;
    let road = Road::of(&shop, id);
    road.until_in_transit().await;
    road.delivered().await;
    // In Bogotá the day has come.
    app.advance_to("2026-03-03T06:00:00Z".parse().unwrap());
    for disposition in ["resell_as_new", "resell_open_box"] {
        let product_id = melon.parse().unwrap();
        hear(&shop, &ItemRestocked { order_id: id, product_id, ..restocked(&shop, disposition) }).await;
    }
    let ledger = returns(&shop).await;
    let batch = json!({"number": "L-1", "expires_on": "2026-03-03"});
    assert_eq!(ledger.len(), 2);
    assert!(ledger.iter().all(|movement| movement["batch"] == batch), "{ledger:#?}");
    assert_eq!(shop.merchant.stock(&melon, &shop.warehouse).await, (1, 0, 1));
    shop.try_place(lines(1)).await.expect_problem(409, "INSUFFICIENT_STOCK");
    let opened = json!({"lines": [{"sku": "MELON-OPENBOX", "quantity": 1}]});
    shop.try_place(opened).await.expect_problem(409, "INSUFFICIENT_STOCK");
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn what_is_sold_no_more_still_comes_back() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    shop.merchant.delete(&format!("/api/v1/products/{}", shop.product)).await.expect(204);
    hear(&shop, &restocked(&shop, "resell_as_new")).await;
    hear(&shop, &restocked(&shop, "resell_open_box")).await;
    assert_eq!(shop.stock().await, (101, 0, 101));
    let sibling = open_box(&shop, "CAM-1-OPENBOX").await[0].clone();
    let id = sibling["id"].as_str().unwrap();
    shop.merchant.delete(&format!("/api/v1/products/{id}")).await.expect(204);
    hear(&shop, &restocked(&shop, "resell_open_box")).await;
    assert_eq!(shop.merchant.stock(id, &shop.warehouse).await, (2, 0, 2));
    app.assert_sound().await;
}

#[tokio::test]
async fn who_waits_for_stock_gets_the_returned_piece_and_the_alarm_ends() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let rare = shop.merchant.product("RARE", json!({"reorder_point": 0})).await;
    let back = || ItemRestocked { product_id: rare.parse().unwrap(), ..restocked(&shop, "resell_as_new") };
    let lines = json!([{"product_id": rare, "quantity": 1}]);
    let waits = shop.place(json!({"allow_backorder": true, "lines": lines})).await;
    assert_eq!(shop.status(waits).await, "backordered");
    hear(&shop, &back()).await;
    eventually("it is served", || async { (shop.status(waits).await == "confirmed").then_some(()) }).await;
    assert_eq!(shop.merchant.stock(&rare, &shop.warehouse).await, (1, 1, 0));
    for _ in 0..2 {
        hear(&shop, &back()).await;
    }
    let facts = app.facts(rare.parse::<ProductId>().unwrap()).await;
    let kinds: Vec<_> = facts.iter().map(|fact| fact.kind.split('.').nth(3).unwrap()).collect();
    assert_eq!(kinds, ["created", "fell_low", "recovered"]);
    shop.assert_sound(waits).await;
}

#[tokio::test]
async fn a_piece_of_another_company_is_taken_in_by_nobody() {
    let app = TestApp::start(quenty_order::service()).await;
    let (shop, other) = (Shop::open(&app).await, Shop::open(&app).await);
    for item in [
        ItemRestocked { product_id: other.product.parse().unwrap(), ..restocked(&shop, "resell_as_new") },
        ItemRestocked { product_id: other.product.parse().unwrap(), ..restocked(&shop, "resell_open_box") },
        ItemRestocked { warehouse_id: other.warehouse.parse().unwrap(), ..restocked(&shop, "resell_as_new") },
    ] {
        app.deliver(&told(&shop, &item)).await;
    }
    let refused: i64 = sqlx::query_scalar("select count(*) from quenty.inbox where error like '%has no%'")
        .fetch_one(app.app.db())
        .await
        .unwrap();
    assert_eq!(refused, 3);
    assert_eq!((shop.stock().await, other.stock().await), ((100, 0, 100), (100, 0, 100)));
}
