use quenty_contracts::{
    pickup::{PickupCancelRefused, PickupCancelled, PickupCompleted, PickupRejected},
    shipping::{ShipmentDelivered, ShipmentLost, ShipmentPickedUp, ShipmentVoided},
};
use quenty_kernel::id::{PickupId, ShipmentId};
use serde_json::{Value, json};

use crate::support::{World, id_of};

fn completed(world: &World, pickup: PickupId, of: &Value) -> PickupCompleted {
    serde_json::from_value(json!({"pickup_id": pickup, "company_id": world.company, "return_id": of["id"],
        "at": "2026-05-05T16:00:00Z", "parcel_count": 1}))
    .unwrap()
}

fn cancelled(pickup: PickupId, of: &Value) -> PickupCancelled {
    serde_json::from_value(json!({"pickup_id": pickup, "return_id": of["id"], "reason": "kept"})).unwrap()
}

#[tokio::test]
async fn a_driver_is_asked_for_comes_and_brings_it() {
    let world = World::new().await;
    let of = world.delivered(1, "100000.00", None).await;
    let asked = world.request(&of, 1, "wrong_item", json!({"way_back": "pickup"})).await;
    assert_eq!(world.told(&asked).await, ["requested", "approved", "pickup_requested"]);
    let facts = world.app.facts(id_of(&asked)).await;
    assert_eq!(facts[2].data["parcels"], json!([{"weight_grams": 400, "fragile": false}]));
    let pickup = world.pickup_booked(&asked).await;
    assert_eq!(world.read(&asked).await["status"], "pickup_scheduled");
    world.app.hear(pickup, Some(world.company), 2, &completed(&world, pickup, &asked)).await;
    assert_eq!(world.read(&asked).await["status"], "picked_up");
    world
        .step(&world.merchant, &asked, "cancel", &json!({"reason": "kept"}))
        .await
        .expect_problem(409, "ILLEGAL_TRANSITION");
    world.bring_back(&asked, 1).await;
    world.assert_sound().await;
}

#[tokio::test]
async fn without_a_driver_there_is_another_way() {
    let world = World::new().await;
    let of = world.delivered(1, "100000.00", None).await;
    let asked = world.request(&of, 1, "wrong_item", json!({"way_back": "pickup"})).await;
    world.step(&world.merchant, &asked, "label", &json!({})).await.expect_problem(409, "BOOKED_ALREADY");
    let rejected: PickupRejected =
        serde_json::from_value(json!({"pickup_id": PickupId::new(), "company_id": world.company,
        "return_id": asked["id"], "attempt": 1, "code": "NO_SERVICE_AREA", "detail": "nobody drives there"}))
        .unwrap();
    world.app.hear(rejected.pickup_id, Some(world.company), 1, &rejected).await;
    let now = world.read(&asked).await;
    assert_eq!((&now["status"], &now["attention"]["code"]), (&json!("approved"), &json!("NO_SERVICE_AREA")));
    world.step(&world.merchant, &asked, "label", &json!({})).await.expect(200);
    let shipment = world.label_booked(&asked).await;
    let now = world.read(&asked).await;
    assert_eq!(
        (&now["status"], &now["booking"]["tracking_number"]),
        (&json!("label_issued"), &json!("QTY123456782CO"))
    );
    let delivered: ShipmentDelivered =
        serde_json::from_value(json!({"shipment_id": shipment, "company_id": world.company,
        "return_id": asked["id"], "at": "2026-05-06T16:00:00Z", "proof": "carrier", "on_time": true}))
        .unwrap();
    // News of the road may be missing: the last one tells all of it.
    world.app.hear(shipment, Some(world.company), 2, &delivered).await;
    let now = world.read(&asked).await;
    assert_eq!((&now["status"], &now["arrived_at"]), (&json!("in_transit"), &json!("2026-05-06T16:00:00Z")));
    world.bring_back(&asked, 1).await;
    world.assert_sound().await;
}

#[tokio::test]
async fn a_cancellation_waits_for_pickup_and_pickup_decides() {
    let world = World::new().await;
    let of = world.delivered(2, "100000.00", None).await;
    let booked = async || {
        let asked = world.request(&of, 1, "wrong_item", json!({"way_back": "pickup"})).await;
        let pickup = world.pickup_booked(&asked).await;
        let ending = world
            .step(&world.merchant, &asked, "cancel", &json!({"reason": "kept"}))
            .await
            .expect(200)
            .json();
        assert_eq!((&ending["status"], &ending["ending"]), (&json!("pickup_scheduled"), &json!("cancelled")));
        assert_eq!(
            world.told(&asked).await[4..],
            ["way_back_cancel_requested".to_owned(), "ending_asked".to_owned()]
        );
        (asked, pickup)
    };
    let (asked, pickup) = booked().await;
    world.app.hear(pickup, Some(world.company), 2, &cancelled(pickup, &asked)).await;
    assert_eq!(world.read(&asked).await["status"], "cancelled");

    let (asked, pickup) = booked().await;
    let refused: PickupCancelRefused = serde_json::from_value(
        json!({"pickup_id": pickup, "return_id": asked["id"], "status": "in_progress"}),
    )
    .unwrap();
    world.app.hear(pickup, Some(world.company), 2, &refused).await;
    world.app.hear(pickup, Some(world.company), 3, &completed(&world, pickup, &asked)).await;
    let now = world.read(&asked).await;
    assert_eq!((&now["status"], &now["ending"]), (&json!("picked_up"), &json!(null)));
    world.assert_sound().await;
}

#[tokio::test]
async fn a_label_is_given_back_unless_the_parcel_was_handed_in() {
    let world = World::new().await;
    let of = world.delivered(2, "100000.00", None).await;
    let booked = async || {
        let asked = world.request(&of, 1, "wrong_item", json!({"way_back": "label"})).await;
        let shipment = world.label_booked(&asked).await;
        world.step(&world.merchant, &asked, "cancel", &json!({"reason": "kept"})).await.expect(200);
        (asked, shipment)
    };
    let (asked, shipment) = booked().await;
    let voided: ShipmentVoided =
        serde_json::from_value(json!({"shipment_id": shipment, "return_id": asked["id"], "reason": "kept"}))
            .unwrap();
    world.app.hear(shipment, Some(world.company), 2, &voided).await;
    assert_eq!(world.read(&asked).await["status"], "cancelled");

    let (asked, shipment) = booked().await;
    let scanned: ShipmentPickedUp = serde_json::from_value(
        json!({"shipment_id": shipment, "return_id": asked["id"], "at": "2026-05-05T16:00:00Z"}),
    )
    .unwrap();
    world.app.hear(shipment, Some(world.company), 2, &scanned).await;
    let now = world.read(&asked).await;
    assert_eq!((&now["status"], &now["ending"]), (&json!("picked_up"), &json!(null)));
    world.assert_sound().await;
}

#[tokio::test]
async fn what_the_buyer_brings_while_a_driver_is_to_come_is_received_whoever_is_first() {
    let world = World::new().await;
    let of = world.delivered(8, "100000.00", None).await;
    for _ in 0..4 {
        let asked = world.request(&of, 1, "wrong_item", json!({"way_back": "pickup"})).await;
        let pickup = world.pickup_booked(&asked).await;
        let completed = completed(&world, pickup, &asked);
        let brought = world.receive(&asked, 1);
        let collected = world.app.hear(pickup, Some(world.company), 2, &completed);
        tokio::join!(brought, collected);
        let now = world.read(&asked).await;
        assert_eq!((&now["status"], now["units"].as_array().unwrap().len()), (&json!("received"), 1));
    }
    world.assert_sound().await;
}

#[tokio::test]
async fn what_the_carrier_loses_is_paid_back() {
    let world = World::new().await;
    let of = world.delivered(2, "100000.00", None).await;
    let asked = world.request(&of, 1, "changed_mind", json!({"way_back": "label"})).await;
    let shipment = world.label_booked(&asked).await;
    let lost: ShipmentLost = serde_json::from_value(
        json!({"shipment_id": shipment, "return_id": asked["id"], "at": "2026-05-08T16:00:00Z"}),
    )
    .unwrap();
    world.app.hear(shipment, Some(world.company), 2, &lost).await;
    assert_eq!(world.read(&asked).await["attention"]["code"], "LOST");
    let done = world.process(&asked).await;
    assert_eq!(
        done["amounts"]["refund"]["amount"], "104500.00",
        "the goods and their shipping: it is not the buyer's fault"
    );
    world.refund(&asked).await.expect(200);
    world.assert_sound().await;
}

#[tokio::test]
async fn news_of_another_booking_changes_nothing() {
    let world = World::new().await;
    let of = world.delivered(1, "100000.00", None).await;
    let asked = world.request(&of, 1, "wrong_item", json!({"way_back": "pickup"})).await;
    world.pickup_booked(&asked).await;
    let stranger = PickupId::new();
    world.app.hear(stranger, Some(world.company), 1, &cancelled(stranger, &asked)).await;
    world.app.hear(stranger, Some(world.company), 2, &completed(&world, stranger, &asked)).await;
    let shipment = ShipmentId::new();
    let lost: ShipmentLost = serde_json::from_value(
        json!({"shipment_id": shipment, "return_id": asked["id"], "at": "2026-05-08T16:00:00Z"}),
    )
    .unwrap();
    world.app.hear(shipment, Some(world.company), 1, &lost).await;
    assert_eq!(world.read(&asked).await["status"], "pickup_scheduled");
}
