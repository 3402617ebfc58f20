use quenty_contracts::{
    pickup::{PickupAbandoned, PickupCancelRefused, PickupCancelled, PickupRejected, PickupRescheduled},
    shipping::{
        CashCollected, ShipmentExceptionRaised, ShipmentLost, ShipmentRejected, ShipmentReturned,
        ShipmentUndeliverable, ShipmentVoided,
    },
};
use quenty_kernel::{currency::Currency, money::Money};
use quenty_testkit::{TestApp, eventually};
use serde_json::json;

use crate::shop::{Road, Shop, standing_still};

#[tokio::test]
async fn an_order_goes_from_the_click_to_the_door() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    assert_eq!((shop.status(id).await.as_str(), shop.stock().await), ("confirmed", (100, 2, 98)));
    road.booked(1).await;
    assert_eq!(shop.fulfilment(id).await["step"], "pickup");
    road.scheduled(1).await;
    assert_eq!(shop.status(id).await, "processing");
    road.completed().await;
    assert_eq!((shop.status(id).await.as_str(), shop.stock().await), ("picked_up", (98, 0, 98)));
    road.picked_up().await;
    road.departed().await;
    assert_eq!(shop.status(id).await, "in_transit");
    road.out_for_delivery().await;
    road.delivered().await;
    assert_eq!(shop.get(id).await["payment_status"], "cod_pending");
    let amount = Money::parse("100000", Currency::COP).unwrap();
    let cash = CashCollected {
        shipment_id: road.shipment,
        company_id: road.company,
        order_id: Some(id),
        amount,
        at: app.now(),
    };
    road.shipping(cash).await;
    let order = shop.get(id).await;
    assert_eq!((&order["status"], &order["payment_status"]), (&json!("delivered"), &json!("paid")));
    assert_eq!(order["tracking_number"], "QTY0000000012");
    let expected = "placed confirmed shipment_requested shipment_booked pickup_requested pickup_booked processing_started picked_up departed delivered paid";
    assert_eq!(shop.facts(id).await.join(" "), expected);
    let fulfilment = shop.fulfilment(id).await;
    assert_eq!((&fulfilment["step"], &fulfilment["deadline"]), (&json!("closed"), &json!(null)));
    let timeline = shop.merchant.get(&format!("/api/v1/orders/{id}/timeline")).await.expect(200).json();
    let codes: Vec<_> =
        timeline["items"].as_array().unwrap().iter().map(|line| line["code"].as_str().unwrap()).collect();
    for code in [
        "placed",
        "pickup_scheduled",
        "pickup_completed",
        "departed",
        "out_for_delivery",
        "delivered",
        "cash_collected",
    ] {
        assert!(codes.contains(&code), "{code} in {codes:?}");
    }
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn a_prepaid_order_waits_for_its_payment() {
    let app = standing_still().await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({"payment_method": "prepaid"})).await;
    assert_eq!(shop.fulfilment(id).await["deadline"], "2026-03-03T12:00:00Z");
    shop.let_the_deadline_pass(id).await;
    shop.held(id, "PAYMENT_MISSING").await;
    shop.act(id, "release", json!({})).await.expect_problem(409, "RETRY_NEEDED");
    shop.act(id, "retry", json!({})).await.expect(200);
    assert_eq!(shop.fulfilment(id).await["deadline"], "2026-03-04T12:00:00Z");
    shop.let_the_deadline_pass(id).await;
    shop.held(id, "PAYMENT_MISSING").await;
    let pay =
        |amount: &str| json!({"amount": {"amount": amount, "currency": "COP"}, "reference": "PSE 4711"});
    shop.act(id, "payments", pay("99999.00")).await.expect_problem(422, "AMOUNT_MISMATCH");
    let paid = shop.act(id, "payments", pay("100000.00")).await.expect(200).json();
    assert_eq!(
        (&paid["status"], &paid["payment_status"], &paid["on_hold"]),
        (&json!("confirmed"), &json!("paid"), &json!(null))
    );
    shop.act(id, "payments", pay("100000.00")).await.expect_problem(409, "ALREADY_PAID");
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn every_deadline_ends_in_the_hands_of_a_person() {
    let app = standing_still().await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    assert_eq!(shop.fulfilment(id).await["deadline"], "2026-03-02T12:15:00Z");
    shop.let_the_deadline_pass(id).await;
    shop.held(id, "SHIPMENT_UNANSWERED").await;
    // Asked again under its own attempt, so that nothing is booked twice.
    assert_eq!(shop.act(id, "retry", json!({})).await.expect(200).json()["on_hold"], json!(null));
    assert_eq!(shop.fulfilment(id).await["attempt"], 1);
    shop.let_the_deadline_pass(id).await;
    shop.held(id, "SHIPMENT_UNANSWERED").await;
    // The answer comes late: it is welcome.
    road.booked(1).await;
    assert_eq!(shop.get(id).await["on_hold"], json!(null));
    shop.let_the_deadline_pass(id).await;
    shop.held(id, "PICKUP_UNANSWERED").await;
    shop.act(id, "retry", json!({})).await.expect(200);
    road.scheduled(1).await;
    shop.let_the_deadline_pass(id).await;
    shop.held(id, "PICKUP_OVERDUE").await;
    let window_start = app.now();
    let window_end = window_start + jiff::SignedDuration::from_hours(2);
    let by = "merchant".to_owned();
    road.pickup(PickupRescheduled {
        pickup_id: road.pickup,
        order_id: Some(id),
        window_start,
        window_end,
        time_zone: Some("America/Bogota".to_owned()),
        by,
    })
    .await;
    assert_eq!(shop.get(id).await["on_hold"], json!(null));
    road.completed().await;
    road.departed().await;
    shop.let_the_deadline_pass(id).await;
    shop.held(id, "DELIVERY_OVERDUE").await;
    road.delivered().await;
    let order = shop.get(id).await;
    assert_eq!((&order["status"], &order["on_hold"]), (&json!("delivered"), &json!(null)));
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn what_was_refused_is_asked_for_again() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let first = Road::of(&shop, id);
    let rejected = |attempt| ShipmentRejected {
        shipment_id: first.shipment,
        company_id: first.company,
        order_id: Some(id),
        attempt,
        code: "NO_RATE".to_owned(),
        detail: "no rate to that place".to_owned(),
    };
    first.shipping(rejected(1)).await;
    shop.held(id, "SHIPMENT_REJECTED").await;
    shop.act(id, "retry", json!({})).await.expect(200);
    assert_eq!(shop.fulfilment(id).await["attempt"], 2);
    first.shipping(rejected(1)).await;
    assert_eq!(shop.get(id).await["on_hold"], json!(null), "an old refusal says nothing of the new attempt");
    let second = Road::of(&shop, id);
    second.booked(2).await;
    second
        .pickup(PickupRejected {
            pickup_id: second.pickup,
            company_id: second.company,
            order_id: Some(id),
            attempt: 1,
            code: "NO_CAPACITY".to_owned(),
            detail: "no room for seven days".to_owned(),
        })
        .await;
    shop.held(id, "PICKUP_REJECTED").await;
    shop.act(id, "retry", json!({})).await.expect(200);
    let third = Road::of(&shop, id);
    third.scheduled(2).await;
    assert_eq!(shop.status(id).await, "processing");
    let reason = "third attempt failed".to_owned();
    third.pickup(PickupAbandoned { pickup_id: third.pickup, order_id: Some(id), reason }).await;
    shop.held(id, "PICKUP_ABANDONED").await;
    shop.act(id, "retry", json!({})).await.expect(200);
    assert_eq!(shop.fulfilment(id).await["pickup"]["attempt"], 3);
    shop.assert_sound(id).await;
}

async fn voided(road: &Road<'_>) {
    let reason = "by hand".to_owned();
    road.shipping(ShipmentVoided { shipment_id: road.shipment, order_id: Some(road.order), reason }).await;
}

async fn given_back(road: &Road<'_>) {
    let reason = "the shipment is void".to_owned();
    road.pickup(PickupCancelled { pickup_id: road.pickup, order_id: Some(road.order), reason }).await;
}

async fn driver_has_begun(road: &Road<'_>) {
    let status = "in_progress".to_owned();
    road.pickup(PickupCancelRefused { pickup_id: road.pickup, order_id: Some(road.order), status }).await;
}

#[tokio::test]
async fn a_void_shipment_takes_its_pickup_back_and_both_are_booked_again() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    road.until_processing().await;
    voided(&road).await;
    shop.held(id, "SHIPMENT_VOIDED").await;
    let facts = app.facts(id).await;
    let wish = facts.iter().rfind(|fact| fact.kind.ends_with(".cancel_requested.v1")).unwrap();
    assert_eq!((&wish.data["pickup_id"], &wish.data["pickup_only"]), (&json!(road.pickup), &json!(true)));
    assert_eq!(
        (shop.status(id).await, shop.fulfilment(id).await["pickup"]["state"].clone()),
        ("processing".to_owned(), json!("ending"))
    );
    given_back(&road).await;
    let order = shop.get(id).await;
    assert_eq!((&order["pickup_id"], &order["on_hold"]["code"]), (&json!(null), &json!("SHIPMENT_VOIDED")));
    shop.act(id, "retry", json!({})).await.expect(200);
    let again = Road::of(&shop, id);
    again.booked(2).await;
    again.scheduled(2).await;
    let order = shop.get(id).await;
    assert_eq!((&order["shipment_id"], &order["pickup_id"]), (&json!(again.shipment), &json!(again.pickup)));
    again.completed().await;
    assert_eq!((shop.status(id).await.as_str(), shop.stock().await), ("picked_up", (98, 0, 98)));
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn a_pickup_that_answers_after_the_retry_is_asked_for_again() {
    let app = standing_still().await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    road.until_processing().await;
    voided(&road).await;
    shop.act(id, "retry", json!({})).await.expect(200);
    let again = Road::of(&shop, id);
    again.booked(2).await;
    assert_eq!(shop.count_facts(id, "pickup_requested").await, 1, "the old pickup may still come");
    shop.let_the_deadline_pass(id).await;
    shop.held(id, "PICKUP_UNANSWERED").await;
    shop.act(id, "retry", json!({})).await.expect(200);
    assert_eq!(shop.count_facts(id, "cancel_requested").await, 2);
    given_back(&road).await;
    assert_eq!(shop.count_facts(id, "pickup_requested").await, 2);
    again.scheduled(2).await;
    assert_eq!(shop.fulfilment(id).await["step"], "collection");
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn a_driver_who_has_begun_brings_parcels_that_another_shipment_takes_on() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    road.until_processing().await;
    voided(&road).await;
    driver_has_begun(&road).await;
    let order = shop.get(id).await;
    assert_eq!(order["on_hold"]["code"], "SHIPMENT_VOIDED");
    assert!(order["on_hold"]["reason"].as_str().unwrap().contains("retry books another"), "{order:#}");
    shop.act(id, "retry", json!({})).await.expect(200);
    let again = Road::of(&shop, id);
    again.booked(2).await;
    road.completed().await;
    again.departed().await;
    assert_eq!((shop.status(id).await.as_str(), shop.stock().await), ("in_transit", (98, 0, 98)));
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn parcels_of_a_void_shipment_in_the_drivers_hands_wait_for_a_person_and_go_on() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    for void_comes_first in [true, false] {
        let id = shop.place(json!({})).await;
        let road = Road::of(&shop, id);
        road.until_processing().await;
        if void_comes_first {
            voided(&road).await;
            road.completed().await;
            driver_has_begun(&road).await;
        } else {
            road.completed().await;
            voided(&road).await;
        }
        shop.held(id, "SHIPMENT_VOIDED").await;
        assert_eq!(
            (shop.status(id).await, shop.fulfilment(id).await["step"].clone()),
            ("picked_up".to_owned(), json!("shipment"))
        );
        shop.act(id, "retry", json!({})).await.expect(200);
        let again = Road::of(&shop, id);
        again.booked(2).await;
        again.departed().await;
        again.delivered().await;
        assert_eq!(shop.status(id).await, "delivered");
        shop.assert_sound(id).await;
    }
}

#[tokio::test]
async fn news_that_overtake_each_other_lead_to_the_same_end() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    road.booked(1).await;
    // Shipping is ahead of Pickup by two events.
    road.picked_up().await;
    road.delivered().await;
    assert_eq!((shop.status(id).await.as_str(), shop.stock().await), ("delivered", (98, 0, 98)));
    road.scheduled(1).await;
    road.completed().await;
    road.departed().await;
    assert_eq!((shop.status(id).await.as_str(), shop.stock().await), ("delivered", (98, 0, 98)));
    let expected = "placed confirmed shipment_requested shipment_booked pickup_requested processing_started picked_up departed delivered pickup_booked";
    assert_eq!(shop.facts(id).await.join(" "), expected);
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn an_exception_ends_when_the_parcels_move_on() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    road.until_in_transit().await;
    let failed = || ShipmentExceptionRaised {
        shipment_id: road.shipment,
        order_id: Some(id),
        at: app.now(),
        code: "DELIVERY_FAILED".to_owned(),
        detail: "nobody at home".to_owned(),
    };
    road.shipping(failed()).await;
    assert_eq!(shop.status(id).await, "exception");
    road.out_for_delivery().await;
    assert_eq!(shop.status(id).await, "in_transit");
    road.shipping(failed()).await;
    road.delivered().await;
    assert_eq!(shop.status(id).await, "delivered");
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn what_cannot_be_delivered_comes_back_into_stock() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    road.until_in_transit().await;
    let reason = "three attempts".to_owned();
    road.shipping(ShipmentUndeliverable {
        shipment_id: road.shipment,
        order_id: Some(id),
        at: app.now(),
        reason,
    })
    .await;
    assert_eq!((shop.status(id).await.as_str(), shop.stock().await), ("undeliverable", (98, 0, 98)));
    road.shipping(ShipmentReturned { shipment_id: road.shipment, order_id: Some(id), at: app.now() }).await;
    assert_eq!((shop.status(id).await.as_str(), shop.stock().await), ("returned_to_sender", (100, 0, 100)));
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn what_is_lost_stays_lost() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    road.until_in_transit().await;
    road.shipping(ShipmentLost { shipment_id: road.shipment, order_id: Some(id), at: app.now() }).await;
    road.delivered().await;
    assert_eq!((shop.status(id).await.as_str(), shop.stock().await), ("lost", (98, 0, 98)));
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn a_held_order_asks_for_nothing_until_it_is_released() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    shop.act(id, "hold", json!({"reason": "the address is odd"})).await.expect(200);
    shop.act(id, "hold", json!({"reason": "again"})).await.expect_problem(409, "ALREADY_ON_HOLD");
    shop.act(id, "retry", json!({})).await.expect_problem(409, "NOTHING_TO_RETRY");
    road.booked(1).await;
    assert_eq!(shop.count_facts(id, "pickup_requested").await, 0);
    shop.act(id, "release", json!({})).await.expect(200);
    shop.act(id, "release", json!({})).await.expect_problem(409, "NOT_ON_HOLD");
    assert_eq!(shop.count_facts(id, "pickup_requested").await, 1);
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn staff_move_an_order_along_its_edges_and_the_saga_follows() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    let path = format!("/api/v1/orders/{id}/status");
    let body = json!({"status": "processing", "reason": "x"});
    app.put(&path).token(&shop.merchant.token).json(&body).send().await.expect_problem(403, "STAFF_ONLY");
    let refused = shop.set_status(id, "delivered").await.expect_problem(409, "ILLEGAL_TRANSITION").json();
    assert_eq!(refused["may_become"], json!(["processing", "cancelling", "cancelled"]));
    shop.set_status(id, "cancelling").await.expect_problem(409, "STATUS_NOT_SETTABLE");
    shop.set_status(id, "processing").await.expect_problem(409, "NOT_BOOKED");
    road.until_processing().await;
    let staff = app.token(quenty_platform::token::Realm::Staff, None, &["orders:*"]);
    let stale = app
        .put(&path)
        .token(&staff)
        .header("if-match", "\"1\"")
        .json(&json!({"status": "picked_up", "reason": "x"}));
    stale.send().await.expect_problem(412, "VERSION_MISMATCH");
    shop.set_status(id, "cancelled").await.expect_problem(409, "STATUS_NOT_SETTABLE");
    for status in [
        "picked_up",
        "exception",
        "in_transit",
        "delivered",
        "partially_returned",
        "partially_returned",
        "returned",
    ] {
        shop.set_status(id, status).await.expect(200);
        assert_eq!(shop.status(id).await, status);
    }
    assert_eq!(shop.stock().await, (98, 0, 98));
    // The driver need not come any more, and why is kept.
    let facts = app.facts(id).await;
    let of = |what: &str| facts.iter().find(|fact| fact.kind.ends_with(&format!(".{what}.v1"))).unwrap();
    assert_eq!(
        (&of("cancel_requested").data["pickup_only"], &of("status_set").data["reason"]),
        (&json!(true), &json!("by telephone"))
    );
    given_back(&road).await;
    assert_eq!(shop.get(id).await["on_hold"], json!(null));
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn who_waits_for_stock_is_served_in_turn() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let more = |quantity: u32| json!({"allow_backorder": true, "lines": [{"product_id": shop.product, "quantity": quantity}]});
    let first = shop.place(more(150)).await;
    let second = shop.place(more(20)).await;
    assert_eq!(
        (shop.status(first).await, shop.status(second).await),
        ("backordered".to_owned(), "backordered".to_owned())
    );
    assert_eq!(shop.fulfilment(first).await["step"], "stock");
    let behind = shop.try_place(json!({})).await.expect_problem(409, "INSUFFICIENT_STOCK").json();
    assert_eq!(behind["products"][0]["available"], json!([]), "the hundred are promised");
    // Enough for the second, but the first came first.
    shop.merchant.receive(&shop.product, &shop.warehouse, 30).await;
    app.at_rest().await;
    assert_eq!(shop.status(second).await, "backordered");
    shop.merchant.receive(&shop.product, &shop.warehouse, 200).await;
    for id in [first, second] {
        eventually("it is served", || async { (shop.status(id).await == "confirmed").then_some(()) }).await;
    }
    assert_eq!(shop.stock().await, (330, 170, 160));
    let (waits, behind) = (shop.place(more(170)).await, shop.place(more(70)).await);
    assert_eq!(shop.status(behind).await, "backordered");
    assert_eq!(shop.cancel(waits).await.expect(200).json()["status"], "cancelled");
    eventually("the next in turn is served", || async {
        (shop.status(behind).await == "confirmed").then_some(())
    })
    .await;
    shop.place(json!({})).await;
    shop.assert_sound(first).await;
}

#[tokio::test]
async fn an_order_keeps_from_others_only_what_it_waits_for() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let rare = shop.merchant.product("RARE", json!({})).await;
    let line = |product: &str, quantity: u32| json!({"product_id": product, "quantity": quantity});
    let waiting = |lines: serde_json::Value| json!({"allow_backorder": true, "lines": lines});
    let first = shop.place(waiting(json!([line(&shop.product, 60), line(&rare, 1)]))).await;
    let second = shop.place(waiting(json!([line(&rare, 1)]))).await;
    let other = shop.place(json!({"lines": [line(&shop.product, 50)]})).await;
    assert_eq!(shop.status(other).await, "confirmed");
    // Now the first is short of the other product, and the rare one is for whoever comes next.
    shop.merchant.receive(&rare, &shop.warehouse, 1).await;
    eventually("the second is served", || async { (shop.status(second).await == "confirmed").then_some(()) })
        .await;
    assert_eq!(shop.status(first).await, "backordered");
    shop.merchant.receive(&rare, &shop.warehouse, 1).await;
    shop.merchant.receive(&shop.product, &shop.warehouse, 10).await;
    eventually("the first is served", || async { (shop.status(first).await == "confirmed").then_some(()) })
        .await;
    shop.assert_sound(first).await;
}
