use quenty_contracts::{
    customer::Standing,
    pickup::{PickupAbandoned, PickupCancelRefused, PickupCancelled, PickupRescheduled},
    shipping::{
        CashCollected, ShipmentExceptionRaised, ShipmentLost, ShipmentPickedUp, ShipmentRejected,
        ShipmentReturned, ShipmentUndeliverable,
    },
};
use quenty_kernel::{currency::Currency, id::OrderId, money::Money};
use quenty_testkit::TestApp;
use serde_json::{Value, json};

use crate::{
    merchant::warehouse,
    shop::{Road, Shop, hear_standing, standing, standing_still},
};

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
    // Answers that are told again are no news.
    road.booked(1).await;
    road.scheduled(1).await;
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
        return_id: None,
        amount,
        at: app.now(),
    };
    road.shipping(cash).await;
    let order = shop.get(id).await;
    assert_eq!((&order["status"], &order["payment_status"]), (&json!("delivered"), &json!("paid")));
    assert_eq!(order["tracking_number"], "QTY0000000012");
    let expected = "placed confirmed shipment_requested shipment_booked pickup_requested pickup_booked processing_started picked_up booking_ended departed delivered paid";
    assert_eq!(shop.facts(id).await.join(" "), expected);
    let fulfilment = shop.fulfilment(id).await;
    assert_eq!((&fulfilment["step"], &fulfilment["deadline"]), (&json!("closed"), &json!(null)));
    let timeline =
        shop.merchant.get(&format!("/api/v1/orders/{id}/timeline?limit=100")).await.expect(200).json();
    let codes: Vec<_> =
        timeline["items"].as_array().unwrap().iter().map(|line| line["code"].as_str().unwrap()).collect();
    for code in [
        "placed",
        "shipment_booked",
        "pickup_scheduled",
        "pickup_completed",
        "departed",
        "out_for_delivery",
        "delivered",
        "cash_collected",
    ] {
        assert_eq!(codes.iter().filter(|told| **told == code).count(), 1, "{code} in {codes:?}");
    }
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn the_promise_begins_on_the_wanted_day_and_is_another_one_once_they_are_collected() {
    let app = standing_still().await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({"pickup": {"kind": "scheduled", "date": "2026-03-22"}})).await;
    let facts = app.facts(id).await;
    let asked = facts.iter().find(|fact| fact.kind.ends_with(".shipment_requested.v1")).unwrap();
    assert_eq!(asked.data["ready_on"], "2026-03-22");
    let road = Road::of(&shop, id);
    road.until_processing().await;
    road.shipping(ShipmentPickedUp {
        shipment_id: road.shipment,
        order_id: Some(id),
        return_id: None,
        at: app.now(),
        promised_at: Some("2026-03-27T23:00:00Z".parse().unwrap()),
    })
    .await;
    assert_eq!(shop.get(id).await["promised_at"], "2026-03-27T23:00:00Z");
    assert_eq!(shop.fulfilment(id).await["deadline"], "2026-03-30T23:00:00Z");
    road.delivered().await;
    let facts = app.facts(id).await;
    let arrived = facts.iter().find(|fact| fact.kind.ends_with(".order.delivered.v1")).unwrap();
    assert_eq!(arrived.data["promised_at"], "2026-03-27T23:00:00Z");
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
        return_id: None,
        window_start,
        window_end,
        time_zone: Some("America/Bogota".to_owned()),
        by,
        cost: None,
        cost_items: vec![],
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

async fn last_asked(app: &TestApp, id: OrderId, what: &str) -> Value {
    let facts = app.facts(id).await;
    facts.iter().rfind(|fact| fact.kind.ends_with(&format!(".{what}.v1"))).unwrap().data.clone()
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
        return_id: None,
        attempt,
        code: "NO_RATE".to_owned(),
        detail: "no rate to that place".to_owned(),
    };
    first.shipping(rejected(1)).await;
    shop.held(id, "SHIPMENT_REJECTED").await;
    // What was wrong with the place, or with the name, is put right.
    let moves = async |line1: &str| {
        let mut there = warehouse("Centro")["address"].clone();
        (there["line1"], there["postal_code"]) = (json!(line1), json!("110911"));
        let path = format!("/api/v1/warehouses/{}", shop.warehouse);
        shop.merchant.patch(&path, json!({"address": there})).await.expect(200);
        there
    };
    let there = moves("Carrera 30 # 17-00").await;
    let trade_name = "Tienda Luna".to_owned();
    hear_standing(&app, Standing { version: 2, trade_name, ..standing(shop.merchant.company) }).await;
    shop.act(id, "retry", json!({})).await.expect(200);
    assert_eq!(shop.fulfilment(id).await["attempt"], 2);
    let sender = json!({"name": "Tienda Luna", "address": there});
    assert_eq!(last_asked(&app, id, "shipment_requested").await["sender"], sender);
    first.shipping(rejected(1)).await;
    assert_eq!(shop.get(id).await["on_hold"], json!(null), "an old refusal says nothing of the new attempt");
    let second = Road::of(&shop, id);
    second.booked(2).await;
    second.pickup_rejected("NO_CAPACITY", "no room for seven days").await;
    shop.held(id, "PICKUP_REJECTED").await;
    let there = moves("Calle 80 # 69-70").await;
    shop.act(id, "retry", json!({})).await.expect(200);
    assert_eq!(last_asked(&app, id, "pickup_requested").await["sender"]["address"], there);
    let third = Road::of(&shop, id);
    third.scheduled(2).await;
    assert_eq!(shop.status(id).await, "processing");
    let reason = "third attempt failed".to_owned();
    third
        .pickup(PickupAbandoned { pickup_id: third.pickup, order_id: Some(id), return_id: None, reason })
        .await;
    shop.held(id, "PICKUP_ABANDONED").await;
    shop.act(id, "retry", json!({})).await.expect(200);
    assert_eq!(shop.fulfilment(id).await["pickup"]["attempt"], 3);
    shop.assert_sound(id).await;
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
    let expected = "placed confirmed shipment_requested shipment_booked pickup_requested processing_started picked_up cancel_requested departed delivered pickup_booked booking_ended";
    assert_eq!(shop.facts(id).await.join(" "), expected);
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn parcels_that_the_carrier_has_are_not_fetched() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    road.until_processing().await;
    // The merchant hands them in at the depot. That the driver was there may still be on its way.
    road.picked_up().await;
    assert_eq!(shop.count_facts(id, "cancel_requested").await, 0);
    road.departed().await;
    let facts = app.facts(id).await;
    let wish = facts.iter().rfind(|fact| fact.kind.ends_with(".cancel_requested.v1")).unwrap();
    assert_eq!((&wish.data["pickup_id"], &wish.data["pickup_only"]), (&json!(road.pickup), &json!(true)));
    let (pickup_id, reason) = (road.pickup, "the carrier has the parcels".to_owned());
    road.pickup(PickupCancelled { pickup_id, order_id: Some(id), return_id: None, reason }).await;
    let order = shop.get(id).await;
    assert_eq!(
        (&order["status"], &order["pickup_id"], &order["on_hold"]),
        (&json!("in_transit"), &json!(null), &json!(null))
    );
    road.delivered().await;
    assert_eq!(shop.count_facts(id, "cancel_requested").await, 1);
    shop.assert_sound(id).await;
    // Nor are those of an order that hears so late of its shipment, where customs or anything else may keep them.
    let late = shop.place(json!({})).await;
    Road::of(&shop, late).booked_and_picked_up(1).await;
    assert_eq!(shop.status(late).await, "picked_up");
    assert_eq!(shop.count_facts(late, "pickup_requested").await, 0);
    shop.assert_sound(late).await;
}

#[tokio::test]
async fn parcels_that_were_left_behind_wait_for_a_person_while_the_others_travel() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    road.until_processing().await;
    road.collected_of(3).await;
    shop.held(id, "PARTLY_COLLECTED").await;
    let reason = shop.get(id).await["on_hold"]["reason"].clone();
    assert!(reason.as_str().unwrap().contains("2 stayed behind"), "{reason}");
    road.departed().await;
    let order = shop.get(id).await;
    assert_eq!(
        (&order["status"], &order["on_hold"]["code"]),
        (&json!("in_transit"), &json!("PARTLY_COLLECTED"))
    );
    shop.act(id, "retry", json!({})).await.expect(200);
    assert_eq!(shop.get(id).await["on_hold"], json!(null));
    road.delivered().await;
    assert_eq!(shop.status(id).await, "delivered");
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn what_becomes_of_the_others_ends_no_hold_for_parcels_that_were_left_behind() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let (return_id, at) = (None, app.now());
    for end in ["delivered", "lost", "returned_to_sender"] {
        let id = shop.place(json!({})).await;
        let road = Road::of(&shop, id);
        let (shipment_id, order_id) = (road.shipment, Some(id));
        road.until_processing().await;
        road.collected_of(3).await;
        let left_behind = async || shop.get(id).await["on_hold"]["code"] == "PARTLY_COLLECTED";
        match end {
            "delivered" => road.delivered().await,
            "lost" => road.shipping(ShipmentLost { shipment_id, order_id, return_id, at }).await,
            _ => {
                let reason = "three attempts".to_owned();
                let given_up = ShipmentUndeliverable { shipment_id, order_id, return_id, at, reason };
                road.shipping(given_up).await;
                assert!(left_behind().await);
                road.shipping(ShipmentReturned { shipment_id, order_id, return_id, at }).await;
            }
        }
        assert_eq!(shop.status(id).await, end);
        // All that came back is in the warehouse with what never left it.
        assert_eq!(left_behind().await, end != "returned_to_sender", "{end}");
        if left_behind().await {
            let seen_to = shop.act(id, "retry", json!({})).await.expect(200).json();
            assert_eq!((&seen_to["status"], &seen_to["on_hold"]), (&json!(end), &json!(null)));
        }
        shop.assert_sound(id).await;
    }
}

#[tokio::test]
async fn parcels_that_were_left_behind_are_told_beside_what_holds_the_order_already() {
    let app = standing_still().await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    road.until_processing().await;
    road.picked_up().await;
    shop.let_the_deadline_pass(id).await;
    shop.held(id, "DELIVERY_OVERDUE").await;
    // Late news of a driver without network.
    road.collected_of(3).await;
    let hold = shop.get(id).await["on_hold"].clone();
    let reason = hold["reason"].as_str().unwrap();
    assert_eq!(hold["code"], "PARTLY_COLLECTED");
    assert!(reason.contains("promise") && reason.contains("2 stayed behind"), "{reason}");
    // Another one was there as well; the second time it is no news.
    let other = Road::of(&shop, id);
    for _ in 0..2 {
        other.collected_of(4).await;
        let hold = shop.get(id).await["on_hold"].clone();
        let reason = hold["reason"].as_str().unwrap();
        for part in ["promise", "2 stayed behind", "3 stayed behind"] {
            assert_eq!(reason.matches(part).count(), 1, "{part}: {reason}");
        }
        assert_eq!(shop.count_facts(id, "held").await, 3);
    }
    shop.act(id, "retry", json!({})).await.expect(200);
    assert!(shop.fulfilment(id).await["deadline"].is_string(), "the others are waited for anew");
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn a_driver_too_near_to_be_called_off_does_not_come_again_for_what_the_carrier_has() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    road.until_processing().await;
    road.picked_up().await;
    road.departed().await;
    let status = "in_progress".to_owned();
    road.pickup(PickupCancelRefused { pickup_id: road.pickup, order_id: Some(id), return_id: None, status })
        .await;
    assert_eq!(shop.fulfilment(id).await["pickup"]["state"], "booked");
    road.came_in_vain().await;
    let facts = app.facts(id).await;
    let wishes: Vec<_> = facts.iter().filter(|fact| fact.kind.ends_with(".cancel_requested.v1")).collect();
    assert!(wishes.iter().all(|wish| wish.data["pickup_only"] == json!(true)), "{wishes:#?}");
    assert_eq!(wishes.len(), 2);
    let (pickup_id, reason) = (road.pickup, "the carrier has the parcels".to_owned());
    road.pickup(PickupCancelled { pickup_id, order_id: Some(id), return_id: None, reason }).await;
    assert_eq!(
        (shop.status(id).await, shop.fulfilment(id).await["pickup"]["state"].clone()),
        ("in_transit".to_owned(), json!("open"))
    );
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn a_driver_who_was_there_is_told_late_and_nothing_changes() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    road.until_processing().await;
    // Shipping is ahead of Pickup, which cannot cancel what is done.
    road.departed().await;
    assert_eq!(shop.fulfilment(id).await["pickup"]["state"], "ending");
    road.completed().await;
    let after = shop.get(id).await;
    assert_eq!((&after["status"], &after["pickup_id"]), (&json!("in_transit"), &json!(road.pickup)));
    let status = "completed".to_owned();
    road.pickup(PickupCancelRefused { pickup_id: road.pickup, order_id: Some(id), return_id: None, status })
        .await;
    assert_eq!(shop.get(id).await, after);
    assert_eq!(shop.fulfilment(id).await["pickup"]["state"], "open");
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
        return_id: None,
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
        return_id: None,
        at: app.now(),
        reason,
    })
    .await;
    assert_eq!((shop.status(id).await.as_str(), shop.stock().await), ("undeliverable", (98, 0, 98)));
    road.shipping(ShipmentReturned {
        shipment_id: road.shipment,
        order_id: Some(id),
        return_id: None,
        at: app.now(),
    })
    .await;
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
    road.shipping(ShipmentLost {
        shipment_id: road.shipment,
        order_id: Some(id),
        return_id: None,
        at: app.now(),
    })
    .await;
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
    let (pickup_id, reason) = (road.pickup, "by telephone".to_owned());
    road.pickup(PickupCancelled { pickup_id, order_id: Some(id), return_id: None, reason }).await;
    assert_eq!(shop.get(id).await["on_hold"], json!(null));
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn what_staff_move_on_that_the_carrier_has_scanned_is_not_fetched() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    road.until_processing().await;
    road.picked_up().await;
    shop.set_status(id, "in_transit").await.expect(200);
    shop.set_status(id, "delivered").await.expect(200);
    assert_eq!(shop.count_facts(id, "cancel_requested").await, 1);
    assert_eq!(shop.fulfilment(id).await["pickup"]["state"], "ending");
    shop.assert_sound(id).await;
}
