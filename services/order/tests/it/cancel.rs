use quenty_contracts::pickup::{PickupCancelRefused, PickupCancelled, PickupUnassigned};
use quenty_kernel::id::OrderId;
use quenty_testkit::{TestApp, eventually};
use serde_json::{Value, json};

use crate::shop::{Road, Shop, standing_still};

fn cancelled(road: &Road<'_>) -> PickupCancelled {
    PickupCancelled {
        pickup_id: road.pickup,
        order_id: Some(road.order),
        return_id: None,
        reason: "the order was cancelled".to_owned(),
    }
}

fn refused(road: &Road<'_>) -> PickupCancelRefused {
    PickupCancelRefused {
        pickup_id: road.pickup,
        order_id: Some(road.order),
        return_id: None,
        status: "in_progress".to_owned(),
    }
}

/// Nothing is cancelled once more.
async fn assert_goes_on_after_a_vain_visit(shop: &Shop<'_>, road: &Road<'_>) {
    let id = road.order;
    road.came_in_vain().await;
    assert_eq!(shop.status(id).await, "processing");
    assert_eq!(shop.count_facts(id, "cancel_requested").await, 1);
    shop.assert_sound(id).await;
}

async fn last_fact(app: &TestApp, id: OrderId, what: &str) -> Value {
    let facts = app.facts(id).await;
    facts
        .iter()
        .rfind(|fact| fact.kind.ends_with(&format!(".{what}.v1")))
        .map(|fact| fact.data.clone())
        .unwrap_or_default()
}

#[tokio::test]
async fn it_takes_effect_at_once_while_no_pickup_is_live() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    for method in ["prepaid", "cash_on_delivery"] {
        let id = shop.place(json!({"payment_method": method})).await;
        let order = shop.cancel(id).await.expect(200).json();
        assert_eq!(
            (&order["status"], &order["cancel_reason"]),
            (&json!("cancelled"), &json!("the buyer changed their mind"))
        );
        shop.cancel(id).await.expect_problem(409, "ORDER_NOT_CANCELLABLE");
        shop.assert_sound(id).await;
    }
    assert_eq!(shop.stock().await, (100, 0, 100));
}

#[tokio::test]
async fn after_a_refused_pickup_it_takes_effect_at_once_and_voids_the_shipment() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    road.booked(1).await;
    road.pickup_rejected("NO_CAPACITY", "full").await;
    shop.cancel(id).await.expect(200);
    assert_eq!(shop.status(id).await, "cancelled");
    assert_eq!(last_fact(&app, id, "cancelled").await["shipment_id"], json!(road.shipment));
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn with_a_live_pickup_pickup_decides() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    road.until_processing().await;
    assert_eq!(shop.cancel(id).await.expect(200).json()["status"], "cancelling");
    assert_eq!(shop.cancel(id).await.expect(200).json()["status"], "cancelling", "asking twice is asking");
    assert_eq!(last_fact(&app, id, "cancel_requested").await["pickup_id"], json!(road.pickup));
    assert_eq!(shop.stock().await, (100, 2, 98), "nothing is released before Pickup agrees");
    road.pickup(cancelled(&road)).await;
    assert_eq!((shop.status(id).await.as_str(), shop.stock().await), ("cancelled", (100, 0, 100)));
    assert_eq!(shop.count_facts(id, "cancel_requested").await, 1);
    // The driver had collected them where there was no network.
    road.completed().await;
    let held = shop.get(id).await;
    assert_eq!(
        (&held["status"], &held["on_hold"]["code"]),
        (&json!("cancelled"), &json!("CANCELLED_ON_THE_ROAD"))
    );
    shop.assert_sound(id).await;
}

/// An order that was to be cancelled when its driver could not be called off any more.
async fn cancelled_too_late<'a>(shop: &Shop<'a>) -> (OrderId, Road<'a>) {
    let id = shop.place(json!({})).await;
    let road = Road::of(shop, id);
    road.until_processing().await;
    shop.cancel(id).await.expect(200);
    road.pickup(refused(&road)).await;
    (id, road)
}

#[tokio::test]
async fn too_late_the_order_goes_on() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let (id, road) = cancelled_too_late(&shop).await;
    assert_eq!(shop.status(id).await, "processing");
    road.completed().await;
    shop.cancel(id).await.expect_problem(409, "ORDER_NOT_CANCELLABLE");
    assert_eq!(shop.count_facts(id, "cancel_refused").await, 1);
    assert_eq!(shop.get(id).await["cancel_reason"], json!(null));
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn it_came_too_late_for_a_driver_who_then_comes_in_vain_and_is_asked_for_again() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    for turns_back in [false, true] {
        asks_again_once_nobody_is_on_the_way(&shop, turns_back).await;
    }
}

async fn asks_again_once_nobody_is_on_the_way(shop: &Shop<'_>, turns_back: bool) {
    let app = shop.merchant.app;
    let (id, road) = cancelled_too_late(shop).await;
    if turns_back {
        let reason = "flat tyre".to_owned();
        road.pickup(PickupUnassigned { pickup_id: road.pickup, order_id: Some(id), return_id: None, reason })
            .await;
    } else {
        road.came_in_vain().await;
    }
    assert_eq!(shop.status(id).await, "cancelling");
    let wish = last_fact(app, id, "cancel_requested").await;
    assert_eq!(
        (&wish["pickup_id"], &wish["pickup_only"], &wish["reason"]),
        (&json!(road.pickup), &json!(false), &json!("the buyer changed their mind"))
    );
    assert_eq!(shop.count_facts(id, "cancel_requested").await, 2);
    road.pickup(cancelled(&road)).await;
    assert_eq!((shop.status(id).await.as_str(), shop.stock().await), ("cancelled", (100, 0, 100)));
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn who_mends_the_order_after_that_wishes_it_to_go_on() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let (id, road) = cancelled_too_late(&shop).await;
    shop.merchant.patch(&format!("/api/v1/orders/{id}"), json!({"notes": "ring"})).await.expect(200);
    assert_goes_on_after_a_vain_visit(&shop, &road).await;
}

#[tokio::test]
async fn what_staff_have_refused_is_not_asked_for_again() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    road.until_processing().await;
    shop.cancel(id).await.expect(200);
    shop.set_status(id, "processing").await.expect(200);
    road.pickup(refused(&road)).await;
    assert_goes_on_after_a_vain_visit(&shop, &road).await;
}

#[tokio::test]
async fn a_parcel_that_was_collected_meanwhile_is_not_cancelled() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    road.until_processing().await;
    shop.cancel(id).await.expect(200);
    // Shipping is faster than Pickup with the same news.
    road.picked_up().await;
    assert_eq!(shop.status(id).await, "picked_up");
    road.completed().await;
    road.pickup(refused(&road)).await;
    assert_eq!((shop.status(id).await.as_str(), shop.stock().await), ("picked_up", (98, 0, 98)));
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn parcels_of_a_cancelled_order_that_travel_wait_for_a_person() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    road.booked(1).await;
    // Nobody fetches them; the merchant brings them to the depot, and a colleague cancels before that is heard.
    road.pickup_rejected("NO_CAPACITY", "full").await;
    shop.cancel(id).await.expect(200);
    road.picked_up().await;
    road.departed().await;
    let held = shop.merchant.get("/api/v1/orders?on_hold=true").await.expect(200).json()["items"][0].clone();
    assert_eq!(
        (&held["id"], &held["status"], &held["on_hold"]["code"]),
        (&json!(id), &json!("cancelled"), &json!("CANCELLED_ON_THE_ROAD"))
    );
    shop.act(id, "retry", json!({})).await.expect(200);
    assert_eq!(shop.get(id).await["on_hold"], json!(null));
    road.delivered().await;
    let reason = shop.get(id).await["on_hold"]["reason"].clone();
    assert!(reason.as_str().unwrap().contains("see to the money"), "not to the stock once more: {reason}");
    assert_eq!(shop.count_facts(id, "held").await, 3, "the pickup, the way and its end");
    assert_eq!((shop.status(id).await.as_str(), shop.stock().await), ("cancelled", (100, 0, 100)));
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn a_shipment_booked_after_the_cancellation_is_known_and_cancels_nothing_twice() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    shop.cancel(id).await.expect(200);
    road.booked(1).await;
    assert_eq!(shop.count_facts(id, "cancelled").await, 1);
    assert_eq!(shop.get(id).await["shipment_id"], json!(road.shipment));
    assert_eq!((shop.status(id).await.as_str(), shop.stock().await), ("cancelled", (100, 0, 100)));
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn a_pickup_scheduled_during_the_cancellation_is_cancelled_by_its_id() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    road.booked(1).await;
    assert_eq!(
        shop.cancel(id).await.expect(200).json()["status"],
        "cancelling",
        "a pickup was asked for: it may be live"
    );
    assert_eq!(last_fact(&app, id, "cancel_requested").await["pickup_id"], json!(null));
    road.scheduled(1).await;
    assert_eq!(last_fact(&app, id, "cancel_requested").await["pickup_id"], json!(road.pickup));
    road.pickup(cancelled(&road)).await;
    assert_eq!(shop.status(id).await, "cancelled");
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn a_pickup_rejected_during_the_cancellation_ends_it() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    road.booked(1).await;
    shop.cancel(id).await.expect(200);
    road.pickup_rejected("NO_SERVICE_AREA", "nobody drives there").await;
    assert_eq!((shop.status(id).await.as_str(), shop.stock().await), ("cancelled", (100, 0, 100)));
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn an_unanswered_cancellation_is_asked_again() {
    let app = standing_still().await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    let road = Road::of(&shop, id);
    road.until_processing().await;
    shop.cancel(id).await.expect(200);
    shop.let_the_deadline_pass(id).await;
    shop.held(id, "CANCELLATION_UNANSWERED").await;
    shop.act(id, "retry", json!({})).await.expect(200);
    assert_eq!(shop.count_facts(id, "cancel_requested").await, 2);
    road.pickup(cancelled(&road)).await;
    assert_eq!(shop.status(id).await, "cancelled");
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn cancelling_while_the_driver_collects_has_one_winner() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    for _ in 0..8 {
        let id = shop.place(json!({})).await;
        let road = Road::of(&shop, id);
        road.until_processing().await;
        let ((), asked) = tokio::join!(road.completed(), shop.cancel(id));
        assert!(matches!(asked.status(), 200 | 409), "{}", asked.text());
        // What Pickup answers to a request that comes after the driver has begun.
        road.pickup(refused(&road)).await;
        eventually("the driver has won", || async { (shop.status(id).await == "picked_up").then_some(()) })
            .await;
        shop.assert_sound(id).await;
    }
    assert_eq!(shop.stock().await, (84, 0, 84));
}
