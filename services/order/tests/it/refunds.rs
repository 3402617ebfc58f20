//! Money that goes back of orders that nobody got.

use quenty_contracts::shipping::{ShipmentLost, ShipmentReturned, ShipmentUndeliverable};
use quenty_kernel::id::OrderId;
use quenty_testkit::TestApp;
use serde_json::{Value, json};

use crate::{
    returned::delivered,
    shop::{Road, Shop},
};

fn cop(amount: &str) -> Value {
    json!({"amount": amount, "currency": "COP"})
}

/// Two pieces, 100,000 in all.
async fn paid(shop: &Shop<'_>) -> OrderId {
    let id = shop.place(json!({"payment_method": "prepaid"})).await;
    shop.act(id, "payments", json!({"amount": cop("100000.00")})).await.expect(200);
    id
}

fn states(order: &Value) -> (&str, &str, &str) {
    let text = |field: &str| order[field].as_str().unwrap();
    (text("status"), text("payment_status"), order["refunded"]["amount"].as_str().unwrap())
}

#[tokio::test]
async fn what_was_paid_of_a_cancelled_order_goes_back_in_parts_and_no_more_of_it() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = paid(&shop).await;
    let refused = shop.act(id, "refunds", json!({})).await.expect_problem(409, "ORDER_NOT_REFUNDABLE").json();
    assert_eq!(refused["current_status"], "confirmed");
    shop.cancel(id).await.expect(200);
    for amount in [cop("0.00"), cop("-1.00")] {
        let refused = shop.act(id, "refunds", json!({"amount": amount})).await;
        let refused = refused.expect_problem(422, "REFUND_NOT_POSITIVE").json();
        assert_eq!(refused["errors"][0]["pointer"], "/amount");
    }
    let part = json!({"amount": cop("30000.00"), "reference": "PSE 4712"});
    let order = shop.act(id, "refunds", part).await.expect(200).json();
    assert_eq!(states(&order), ("cancelled", "partially_refunded", "30000.00"));
    let refused = shop.act(id, "refunds", json!({"amount": cop("70000.01")})).await;
    let refused = refused.expect_problem(409, "REFUND_TOO_LARGE").json();
    assert_eq!((&refused["paid"], &refused["refunded"]), (&cop("100000.00"), &cop("30000.00")));
    let dollar = json!({"amount": {"amount": "1.00", "currency": "USD"}});
    let refused = shop.act(id, "refunds", dollar).await.expect_problem(422, "CURRENCY_MISMATCH").json();
    assert_eq!(refused["errors"][0]["pointer"], "/amount");
    let order = shop.act(id, "refunds", json!({})).await.expect(200).json();
    assert_eq!(states(&order), ("cancelled", "refunded", "100000.00"));
    shop.act(id, "refunds", json!({})).await.expect_problem(409, "NOTHING_TO_REFUND");
    let facts = app.facts(id).await;
    let told = facts.iter().filter(|fact| fact.kind == "quenty.order.order.refunded.v1");
    let told: Vec<_> = told.map(|fact| (&fact.data["amount"], &fact.data["reference"])).collect();
    assert_eq!(told, [(&cop("30000.00"), &json!("PSE 4712")), (&cop("70000.00"), &json!(null))]);
    // Money may be on its way while the order is cancelled: once it is in, it goes back.
    let late = shop.place(json!({"payment_method": "prepaid"})).await;
    shop.cancel(late).await.expect(200);
    let order = shop.act(late, "payments", json!({"amount": cop("100000.00")})).await.expect(200).json();
    assert_eq!(states(&order), ("cancelled", "paid", "0.00"));
    let order = shop.act(late, "refunds", json!({})).await.expect(200).json();
    assert_eq!(states(&order), ("cancelled", "refunded", "100000.00"));
    shop.assert_sound(late).await;
    let timeline =
        shop.merchant.get(&format!("/api/v1/orders/{id}/timeline?limit=100")).await.expect(200).json();
    let lines = timeline["items"].as_array().unwrap().iter().filter(|line| line["code"] == "refunded");
    let texts: Vec<_> = lines.map(|line| line["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["30000.00 COP paid back", "70000.00 COP paid back"]);
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn what_is_lost_or_comes_back_undelivered_is_paid_back() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    for is_lost in [true, false] {
        let id = paid(&shop).await;
        let road = Road::of(&shop, id);
        road.until_in_transit().await;
        shop.act(id, "refunds", json!({})).await.expect_problem(409, "ORDER_NOT_REFUNDABLE");
        let (shipment_id, order_id, return_id, at) = (road.shipment, Some(id), None, app.now());
        if is_lost {
            road.shipping(ShipmentLost { shipment_id, order_id, return_id, at }).await;
        } else {
            let reason = "three attempts".to_owned();
            road.shipping(ShipmentUndeliverable { shipment_id, order_id, return_id, at, reason }).await;
            shop.act(id, "refunds", json!({})).await.expect_problem(409, "ORDER_NOT_REFUNDABLE");
            road.shipping(ShipmentReturned { shipment_id, order_id, return_id, at }).await;
        }
        let order = shop.act(id, "refunds", json!({})).await.expect(200).json();
        let status = if is_lost { "lost" } else { "returned_to_sender" };
        assert_eq!(states(&order), (status, "refunded", "100000.00"));
        shop.assert_sound(id).await;
    }
}

#[tokio::test]
async fn nothing_goes_back_of_what_was_not_paid_or_is_delivered() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let at_the_door = shop.place(json!({})).await;
    shop.cancel(at_the_door).await.expect(200);
    shop.act(at_the_door, "refunds", json!({})).await.expect_problem(409, "NOTHING_TO_REFUND");
    let arrived = delivered(&shop).await;
    shop.act(arrived, "refunds", json!({})).await.expect_problem(409, "ORDER_NOT_REFUNDABLE");
    shop.act(OrderId::new(), "refunds", json!({})).await.expect_problem(404, "NOT_FOUND");
    shop.assert_sound(at_the_door).await;
}

#[tokio::test]
async fn a_refund_that_is_sent_twice_is_recorded_once() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = paid(&shop).await;
    shop.cancel(id).await.expect(200);
    let path = format!("/api/v1/orders/{id}/refunds");
    let body = json!({"amount": cop("30000.00")});
    let send = || app.post(&path).token(&shop.merchant.token).idempotency_key("k-1").json(&body).send();
    let (first, again) = (send().await.expect(200), send().await.expect(200));
    assert_eq!(first.json(), again.json());
    assert_eq!(states(&shop.get(id).await), ("cancelled", "partially_refunded", "30000.00"));
}
