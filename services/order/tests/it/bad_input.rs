use quenty_kernel::id::{OrderId, ProductId, WarehouseId};
use quenty_platform::http::document;
use quenty_testkit::{TestApp, strangers};
use serde_json::{Value, json};

use crate::{
    merchant::Merchant,
    shop::{Shop, consignee, standing_still},
};

fn cop(amount: &str) -> Value {
    json!({"amount": amount, "currency": "COP"})
}

#[tokio::test]
async fn what_breaks_a_rule_is_named_and_leaves_nothing_behind() {
    let app = standing_still().await;
    let shop = Shop::open(&app).await;
    let line = |more: Value| {
        let mut line = json!({"product_id": shop.product, "quantity": 1});
        line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"lines": [line]})
    };
    let foreign = Merchant::new(&app).warehouse("Lejos").await;
    let unit_price = |amount: Value| line(json!({"unit_price": amount}));
    let mut unmailable = consignee("CO");
    unmailable["email"] = json!("ana..gomez@example.com");
    for (more, code, pointer) in [
        (json!({"lines": []}), "LINES_OUT_OF_RANGE", "/lines"),
        (
            json!({"lines": vec![json!({"product_id": shop.product, "quantity": 1}); 201]}),
            "LINES_OUT_OF_RANGE",
            "/lines",
        ),
        (line(json!({"quantity": 0})), "INVALID_QUANTITY", "/lines/0/quantity"),
        (line(json!({"quantity": -1})), "INVALID_BODY", "/lines/0/quantity"),
        (line(json!({"quantity": 1.5})), "INVALID_BODY", "/lines/0/quantity"),
        (line(json!({"quantity": "1"})), "INVALID_BODY", "/lines/0/quantity"),
        (line(json!({"quantity": 4_294_967_296_u64})), "INVALID_BODY", "/lines/0/quantity"),
        (line(json!({"quantity": 4_294_967_295_u64})), "ORDER_TOO_HEAVY", "/lines"),
        (line(json!({"sku": "CAM-1"})), "ONE_PRODUCT", "/lines/0"),
        (json!({"lines": [{"quantity": 1}]}), "ONE_PRODUCT", "/lines/0"),
        (line(json!({"product_id": ProductId::new()})), "UNKNOWN_PRODUCT", "/lines/0"),
        (line(json!({"product_id": OrderId::new()})), "INVALID_BODY", "/lines/0/product_id"),
        (unit_price(cop("-1.00")), "NEGATIVE_AMOUNT", "/lines/0/unit_price"),
        (unit_price(cop("1.001")), "INVALID_BODY", "/lines/0/unit_price"),
        (unit_price(cop("1e3")), "INVALID_BODY", "/lines/0/unit_price"),
        (unit_price(json!({"amount": 1, "currency": "COP"})), "INVALID_BODY", "/lines/0/unit_price/amount"),
        (
            line(json!({"quantity": 4000, "unit_price": cop("999999999999999.99")})),
            "AMOUNT_TOO_LARGE",
            "/lines/0/quantity",
        ),
        (line(json!({"discount": cop("50000.01")})), "DISCOUNT_TOO_LARGE", "/lines/0/discount"),
        (line(json!({"tax": {"amount": "1.00", "currency": "USD"}})), "CURRENCY_MISMATCH", "/lines/0/tax"),
        (json!({"discount": cop("100000.01")}), "DISCOUNT_TOO_LARGE", "/discount"),
        (json!({"shipping": cop("-1.00")}), "NEGATIVE_AMOUNT", "/shipping"),
        (json!({"warehouse_id": foreign}), "UNKNOWN_WAREHOUSE", "/warehouse_id"),
        (json!({"warehouse_id": WarehouseId::new()}), "UNKNOWN_WAREHOUSE", "/warehouse_id"),
        (json!({"kind": "overnight"}), "INVALID_BODY", "/kind"),
        (json!({"payment_method": "barter"}), "INVALID_BODY", "/payment_method"),
        (json!({"status": "delivered"}), "INVALID_BODY", "/status"),
        (json!({"external_reference": ""}), "INVALID_BODY", "/external_reference"),
        (json!({"notes": "a\u{0}b"}), "INVALID_BODY", "/notes"),
        (json!({"consignee": {"name": "Ana"}}), "INVALID_BODY", "/consignee"),
        (json!({"consignee": unmailable}), "INVALID_BODY", "/consignee/email"),
        (json!({"pickup": {"kind": "scheduled", "slot": "8am"}}), "INVALID_BODY", "/pickup/slot"),
        (json!({"pickup": {"kind": "express", "date": "2026-03-03"}}), "SLOT_NOT_WANTED", "/pickup/kind"),
        (json!({"pickup": {"kind": "scheduled", "date": "2026-02-30"}}), "INVALID_BODY", "/pickup/date"),
    ] {
        let refused = shop.try_place(more.clone()).await.expect_problem(422, code).json();
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{more}");
    }
    assert_eq!(shop.merchant.get("/api/v1/orders").await.expect(200).json()["items"], json!([]));
    assert_eq!(shop.stock().await, (100, 0, 100));
    app.assert_sound().await;
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let token = &shop.merchant.token;
    let post = |kind: &'static str, body: &'static [u8]| {
        app.post("/api/v1/orders").token(token).raw(kind, body).send()
    };
    post("application/json", b"{").await.expect_problem(400, "MALFORMED_JSON");
    post("application/json", b"{\"notes\": \"\xff\"}").await.expect_problem(400, "MALFORMED_JSON");
    post("application/json", b"[]").await.expect_problem(422, "INVALID_BODY");
    post("text/plain", b"{}").await.expect_problem(415, "UNSUPPORTED_MEDIA_TYPE");
    for path in [
        "/api/v1/orders/ORD-1",
        "/api/v1/orders/PROD-01JD3ZK8Q5V0E8XW4T2M9R6B7C",
        "/api/v1/orders/x/timeline",
    ] {
        shop.merchant.get(path).await.expect_problem(422, "INVALID_PATH");
    }
    for query in
        ["?status=shipped", "?limit=0", "?limit=101", "?cursor=x", "?created_from=yesterday", "?colour=red"]
    {
        shop.merchant.get(&format!("/api/v1/orders{query}")).await.expect_problem(422, "INVALID_QUERY");
    }
    let [events, timeline] = ["events", "timeline"].map(|list| format!("orders/{id}/{list}"));
    for list in [
        "products",
        "products/low-stock",
        "warehouses",
        "inventory",
        "inventory/movements",
        "inventory/transfers",
        "orders",
        events.as_str(),
        timeline.as_str(),
    ] {
        for query in ["colour=red", "limit=0", "cursor=x"] {
            let path = format!("/api/v1/{list}?{query}");
            shop.merchant.get(&path).await.expect_problem(422, "INVALID_QUERY");
        }
        shop.merchant.get(&format!("/api/v1/{list}?limit=1")).await.expect(200);
    }
    shop.merchant.get(&format!("/api/v1/orders/{id}?as_of=now")).await.expect_problem(422, "INVALID_QUERY");
    for (verb, body) in [
        ("cancel", json!({})),
        ("cancel", json!({"reason": ""})),
        ("hold", json!({"why": "x"})),
        ("payments", json!({"amount": "1"})),
        ("refunds", json!({"amount": "1"})),
        ("refunds", json!({"sum": cop("1.00")})),
    ] {
        shop.act(id, verb, body).await.expect_problem(422, "INVALID_BODY");
    }
    shop.act(id, "payments", json!({"amount": cop("100000.00")})).await.expect_problem(409, "NOT_PREPAID");
    let unknown = OrderId::new();
    for verb in ["cancel", "hold"] {
        shop.act(unknown, verb, json!({"reason": "x"})).await.expect_problem(404, "NOT_FOUND");
    }
    let other = Merchant::new(&app);
    for path in ["", "/events", "/timeline", "/fulfilment"] {
        other.get(&format!("/api/v1/orders/{id}{path}")).await.expect_problem(404, "NOT_FOUND");
    }
    other
        .post(&format!("/api/v1/orders/{id}/cancel"), json!({"reason": "x"}))
        .await
        .expect_problem(404, "NOT_FOUND");
    shop.assert_sound(id).await;
}

#[test]
fn every_operation_that_may_be_conditional_says_so() {
    let document = serde_json::to_value(document(&quenty_order::service())).unwrap();
    assert_eq!(strangers::conditional_operations(&document).len(), 5);
}
