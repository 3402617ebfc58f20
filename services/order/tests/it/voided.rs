//! Shipping voids the shipment of an order that a driver is on the way for.

use quenty_contracts::{
    pickup::{PickupCancelRefused, PickupCancelled},
    shipping::ShipmentVoided,
};
use quenty_testkit::TestApp;
use serde_json::json;

use crate::shop::{Road, Shop, standing_still};

async fn voided(road: &Road<'_>) {
    let reason = "by hand".to_owned();
    road.shipping(ShipmentVoided {
        shipment_id: road.shipment,
        order_id: Some(road.order),
        return_id: None,
        reason,
    })
    .await;
}

async fn given_back(road: &Road<'_>) {
    let reason = "the shipment is void".to_owned();
    road.pickup(PickupCancelled {
        pickup_id: road.pickup,
        order_id: Some(road.order),
        return_id: None,
        reason,
    })
    .await;
}

async fn driver_has_begun(road: &Road<'_>) {
    let status = "in_progress".to_owned();
    road.pickup(PickupCancelRefused {
        pickup_id: road.pickup,
        order_id: Some(road.order),
        return_id: None,
        status,
    })
    .await;
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
