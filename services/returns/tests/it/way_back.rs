use quenty_contracts::{
    pickup::{
        PickupCancelRefused, PickupCancelled, PickupCompleted, PickupFailed, PickupRejected,
        PickupRescheduled, PickupUnassigned,
    },
    shipping::{
        ShipmentDelivered, ShipmentDeparted, ShipmentLost, ShipmentPickedUp, ShipmentReturned, ShipmentVoided,
    },
};
use quenty_kernel::id::{PickupId, ShipmentId};
use serde_json::{Value, json};

use crate::{
    deadlines::{attention, status},
    support::{World, days, found, id_of},
};

pub fn completed(world: &World, pickup: PickupId, of: &Value) -> PickupCompleted {
    serde_json::from_value(json!({"pickup_id": pickup, "company_id": world.company, "return_id": of["id"],
        "at": "2026-05-05T16:00:00Z", "parcel_count": 1}))
    .unwrap()
}

/// From 10:00 to 12:00 in Bogotá.
pub fn rescheduled(pickup: PickupId, of: &Value, day: &str) -> PickupRescheduled {
    serde_json::from_value(
        json!({"pickup_id": pickup, "return_id": of["id"], "window_start": format!("{day}T15:00:00Z"),
        "window_end": format!("{day}T17:00:00Z"), "time_zone": "America/Bogota", "by": "dispatcher"}),
    )
    .unwrap()
}

pub fn came_in_vain(pickup: PickupId, of: &Value) -> PickupFailed {
    serde_json::from_value(
        json!({"pickup_id": pickup, "return_id": of["id"], "attempt_number": 1, "code": "NOT_READY"}),
    )
    .unwrap()
}

/// That nobody comes, in answer to an attempt.
pub fn rejected(world: &World, of: &Value, attempt: u32, code: &str) -> PickupRejected {
    serde_json::from_value(json!({"pickup_id": PickupId::new(), "company_id": world.company,
        "return_id": of["id"], "attempt": attempt, "code": code, "detail": "nobody comes"}))
    .unwrap()
}

pub fn voided(shipment: ShipmentId, of: &Value) -> ShipmentVoided {
    serde_json::from_value(json!({"shipment_id": shipment, "return_id": of["id"], "reason": "kept"})).unwrap()
}

pub fn given_back(shipment: ShipmentId, of: &Value) -> ShipmentReturned {
    serde_json::from_value(
        json!({"shipment_id": shipment, "return_id": of["id"], "at": "2026-05-24T16:00:00Z"}),
    )
    .unwrap()
}

pub fn cancelled(pickup: PickupId, of: &Value) -> PickupCancelled {
    serde_json::from_value(json!({"pickup_id": pickup, "return_id": of["id"], "reason": "kept"})).unwrap()
}

pub fn cancel_refused(pickup: PickupId, of: &Value) -> PickupCancelRefused {
    serde_json::from_value(json!({"pickup_id": pickup, "return_id": of["id"], "status": "in_progress"}))
        .unwrap()
}

/// A field of the buyer's page.
async fn on_the_page(world: &World, of: &Value, field: &str) -> Value {
    let path = of["tracking_path"].as_str().unwrap();
    world.app.get(path).send().await.expect(200).json()[field].clone()
}

/// How often whoever has the booking was asked to give it back.
pub async fn called_off(world: &World, of: &Value) -> usize {
    world.told(of).await.iter().filter(|kind| *kind == "way_back_cancel_requested").count()
}

#[tokio::test]
async fn a_driver_is_asked_for_comes_and_brings_it() {
    let world = World::new().await;
    let of = world.delivered(1, "100000.00", None).await;
    let asked = world.request(&of, 1, "wrong_item", json!({"way_back": "pickup"})).await;
    assert_eq!(world.told(&asked).await, ["requested", "approved", "pickup_requested"]);
    let facts = world.app.facts(id_of(&asked)).await;
    assert_eq!(facts[2].data["parcels"], json!([{"weight_grams": 400, "fragile": false}]));
    assert_eq!(facts[2].data["kind"], "scheduled", "the first slot with room");
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
    let rejected = rejected(&world, &asked, 1, "NO_SERVICE_AREA");
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
    let of = world.delivered(3, "100000.00", None).await;
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
    // The driver had collected it where there was no network.
    world.app.hear(pickup, Some(world.company), 3, &completed(&world, pickup, &asked)).await;
    let now = world.read(&asked).await;
    assert_eq!(
        (&now["status"], &now["attention"]["code"]),
        (&json!("cancelled"), &json!("COLLECTED_AFTER_ALL"))
    );

    // One breaks down on the way: what was wished before is asked for again.
    let (asked, pickup) = booked().await;
    world.app.hear(pickup, Some(world.company), 2, &cancel_refused(pickup, &asked)).await;
    let turned_back: PickupUnassigned =
        serde_json::from_value(json!({"pickup_id": pickup, "return_id": asked["id"], "reason": "flat tyre"}))
            .unwrap();
    world.app.hear(pickup, Some(world.company), 3, &turned_back).await;
    assert_eq!(world.read(&asked).await["ending"], "cancelled");
    assert_eq!(called_off(&world, &asked).await, 2);
    world.app.hear(pickup, Some(world.company), 4, &cancelled(pickup, &asked)).await;
    assert_eq!(world.read(&asked).await["status"], "cancelled");

    let (asked, pickup) = booked().await;
    world.app.hear(pickup, Some(world.company), 2, &cancel_refused(pickup, &asked)).await;
    world.app.hear(pickup, Some(world.company), 3, &completed(&world, pickup, &asked)).await;
    let now = world.read(&asked).await;
    assert_eq!((&now["status"], &now["ending"]), (&json!("picked_up"), &json!(null)));
    world.assert_sound().await;
}

#[tokio::test]
async fn a_label_is_given_back_unless_the_parcel_was_handed_in() {
    let world = World::new().await;
    let of = world.delivered(3, "100000.00", None).await;
    let ask = async || world.request(&of, 1, "wrong_item", json!({"way_back": "label"})).await;
    let cancel = async |asked: &Value| {
        world.step(&world.merchant, asked, "cancel", &json!({"reason": "kept"})).await.expect(200);
    };
    let booked = async || {
        let asked = ask().await;
        let shipment = world.label_booked(&asked).await;
        cancel(&asked).await;
        (asked, shipment)
    };
    let (asked, shipment) = booked().await;
    world.app.hear(shipment, Some(world.company), 2, &voided(shipment, &asked)).await;
    assert_eq!(world.read(&asked).await["status"], "cancelled");

    let too_late = ask().await;
    cancel(&too_late).await;
    let label = world.label_booked(&too_late).await;
    assert_eq!(on_the_page(&world, &too_late, "tracking_number").await, json!(null), "it is being voided");
    for (asked, shipment) in [booked().await, (too_late, label)] {
        let scanned: ShipmentPickedUp = serde_json::from_value(
            json!({"shipment_id": shipment, "return_id": asked["id"], "at": "2026-05-05T16:00:00Z"}),
        )
        .unwrap();
        world.app.hear(shipment, Some(world.company), 2, &scanned).await;
        let now = world.read(&asked).await;
        assert_eq!((&now["status"], &now["ending"]), (&json!("picked_up"), &json!(null)));
        assert_eq!(
            (&now["booking"]["cost"]["amount"], &now["booking"]["tracking_number"]),
            (&json!("12000.00"), &json!("QTY123456782CO")),
            "what it costs and where it is can be known, whenever it came"
        );
        assert_eq!(on_the_page(&world, &asked, "tracking_number").await, "QTY123456782CO");
    }
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
async fn a_driver_too_near_to_be_called_off_does_not_come_again_for_what_was_brought() {
    let world = World::new().await;
    let of = world.delivered(1, "100000.00", None).await;
    let asked = world.request(&of, 1, "wrong_item", json!({"way_back": "pickup"})).await;
    let pickup = world.pickup_booked(&asked).await;
    world.receive(&asked, 1).await;
    world.app.hear(pickup, Some(world.company), 2, &cancel_refused(pickup, &asked)).await;
    assert_eq!(called_off(&world, &asked).await, 1);
    world.app.hear(pickup, Some(world.company), 3, &came_in_vain(pickup, &asked)).await;
    world.app.hear(pickup, Some(world.company), 4, &rescheduled(pickup, &asked, "2026-05-07")).await;
    assert_eq!(called_off(&world, &asked).await, 2);
    world.app.hear(pickup, Some(world.company), 5, &cancelled(pickup, &asked)).await;
    let now = world.read(&asked).await;
    assert_eq!((&now["status"], &now["booking"]["pickup_id"]), (&json!("received"), &json!(null)));
    world.assert_sound().await;
}

#[tokio::test]
async fn a_driver_too_near_to_be_called_off_does_not_come_again_for_what_was_cancelled() {
    let world = World::new().await;
    let of = world.delivered(1, "100000.00", None).await;
    let asked = world.request(&of, 1, "wrong_item", json!({"way_back": "pickup"})).await;
    let pickup = world.pickup_booked(&asked).await;
    world.step(&world.merchant, &asked, "cancel", &json!({"reason": "kept"})).await.expect(200);
    world.app.hear(pickup, Some(world.company), 2, &cancel_refused(pickup, &asked)).await;
    let now = world.read(&asked).await;
    assert_eq!((&now["ending"], &now["attention"]["code"]), (&json!(null), &json!("WENT_ON")));
    world.app.hear(pickup, Some(world.company), 3, &came_in_vain(pickup, &asked)).await;
    world.app.hear(pickup, Some(world.company), 4, &rescheduled(pickup, &asked, "2026-05-07")).await;
    let now = world.read(&asked).await;
    assert_eq!((&now["ending"], &now["ending_reason"]), (&json!("cancelled"), &json!("kept")));
    assert_eq!(called_off(&world, &asked).await, 2);
    world.app.hear(pickup, Some(world.company), 5, &cancelled(pickup, &asked)).await;
    assert_eq!(world.read(&asked).await["status"], "cancelled");
    world.assert_sound().await;
    let told = ["return_approved", "return_cancelled", "return_pickup_scheduled", "return_requested"];
    assert_eq!(world.mailed(), told, "of the driver's next window nobody is told");
}

#[tokio::test]
async fn a_driver_who_is_promised_once_it_is_to_end_is_called_off_and_nobody_is_told_of_them() {
    let world = World::new().await;
    let of = world.delivered(2, "100000.00", None).await;
    let promised = async || {
        let asked = world.request(&of, 1, "wrong_item", json!({"way_back": "pickup"})).await;
        let kept = json!({"reason": "kept"});
        let ending = world.step(&world.merchant, &asked, "cancel", &kept).await.expect(200).json();
        let pickup = world.pickup_booked(&asked).await;
        (asked, ending, pickup)
    };
    let (asked, ending, pickup) = promised().await;
    let now = world.read(&asked).await;
    assert_eq!((&now["ending"], &now["deadline"]), (&json!("cancelled"), &ending["deadline"]));
    assert_eq!(
        (&now["booking"]["asked"], &now["booking"]["pickup_id"]),
        (&json!(null), &json!(pickup)),
        "whose it is stays known"
    );
    world.app.hear(pickup, Some(world.company), 2, &cancelled(pickup, &asked)).await;
    assert_eq!(world.read(&asked).await["status"], "cancelled");
    world.assert_sound().await;
    assert_eq!(world.mailed(), ["return_approved", "return_cancelled", "return_requested"]);

    // Another one cannot be called off any more: they come as they were promised, and at that price.
    let (asked, _, pickup) = promised().await;
    assert_eq!(world.read(&asked).await["status"], "approved");
    assert_eq!(on_the_page(&world, &asked, "pickup_window_start").await, json!(null));
    world.app.hear(pickup, Some(world.company), 2, &rescheduled(pickup, &asked, "2026-05-07")).await;
    assert_eq!(on_the_page(&world, &asked, "pickup_window_start").await, json!(null));
    world.app.hear(pickup, Some(world.company), 3, &cancel_refused(pickup, &asked)).await;
    assert_eq!(on_the_page(&world, &asked, "pickup_window_start").await, "2026-05-07T15:00:00Z");
    let now = world.read(&asked).await;
    assert_eq!(
        (&now["status"], &now["ending"], &now["attention"]["code"]),
        (&json!("pickup_scheduled"), &json!(null), &json!("WENT_ON"))
    );
    assert_eq!(
        (&now["booking"]["window_start"], &now["booking"]["cost"]["amount"]),
        (&json!("2026-05-07T15:00:00Z"), &json!("9000.00")),
        "the window that was promised last"
    );
    world.app.hear(pickup, Some(world.company), 4, &completed(&world, pickup, &asked)).await;
    world.bring_back(&asked, 1).await;
    world.assert_sound().await;
    let mailed = world.mailed();
    assert!(mailed.contains(&"return_pickup_scheduled".to_owned()));
    assert!(!mailed.contains(&"return_pickup_rescheduled".to_owned()), "nobody was told of the one before");
    assert!(
        !world.told(&asked).await.contains(&"pickup_rescheduled".to_owned()),
        "nor is it a step on their page"
    );
}

#[tokio::test]
async fn a_driver_who_is_promised_once_the_goods_were_brought_is_called_off_until_nobody_comes() {
    let world = World::new().await;
    let of = world.delivered(2, "100000.00", None).await;
    let brought = async || {
        let asked = world.request(&of, 1, "wrong_item", json!({"way_back": "pickup"})).await;
        world.receive(&asked, 1).await;
        asked
    };
    let asked = brought().await;
    let pickup = world.pickup_booked(&asked).await;
    world.app.hear(pickup, Some(world.company), 2, &cancel_refused(pickup, &asked)).await;
    assert_eq!(called_off(&world, &asked).await, 2, "by its attempt, and by its id");
    world.app.hear(pickup, Some(world.company), 3, &came_in_vain(pickup, &asked)).await;
    assert_eq!(called_off(&world, &asked).await, 3);
    world.app.hear(pickup, Some(world.company), 4, &cancelled(pickup, &asked)).await;
    // Pickup has never heard of this one's driver, and says so with an id of its own.
    let unheard = brought().await;
    let unknown = PickupId::new();
    world.app.hear(unknown, Some(world.company), 1, &cancelled(unknown, &unheard)).await;
    for asked in [&asked, &unheard] {
        let now = world.read(asked).await;
        assert_eq!(
            (&now["status"], &now["booking"]["asked"], &now["booking"]["pickup_id"]),
            (&json!("received"), &json!(null), &json!(null))
        );
    }
    world.assert_sound().await;
    assert!(!world.mailed().contains(&"return_pickup_scheduled".to_owned()));
}

#[tokio::test]
async fn what_has_no_room_on_a_day_that_has_come_is_asked_for_on_any_other() {
    let world = World::new().await;
    let of = world.delivered(2, "100000.00", None).await;
    let refuse = async |asked: &Value, attempt: u32| {
        let refused = rejected(&world, asked, attempt, "NO_CAPACITY");
        world.app.hear(refused.pickup_id, Some(world.company), 1, &refused).await;
    };
    let wish = async |day: &str| {
        let change = json!({"way_back": "pickup", "pickup_date": day, "pickup_slot": "08:00"});
        let asked = world.request(&of, 1, "wrong_item", change).await;
        refuse(&asked, 1).await;
        asked
    };
    let (today, tomorrow) = (wish("2026-05-05").await, wish("2026-05-06").await);
    let told = world.app.facts(id_of(&today)).await.pop().unwrap();
    assert_eq!(told.kind, "quenty.returns.return.pickup_requested.v1");
    assert_eq!((&told.data["date"], &told.data["slot"]), (&json!(null), &json!(null)));
    // Nor has any other day.
    refuse(&today, 2).await;
    for (asked, attempt) in [(&today, 2), (&tomorrow, 1)] {
        let now = world.read(asked).await;
        assert_eq!(
            (&now["attention"]["code"], &now["booking"]["attempt"]),
            (&json!("NO_CAPACITY"), &json!(attempt))
        );
    }
    world.assert_sound().await;
}

#[tokio::test]
async fn on_a_day_that_is_over_once_a_person_approves_nobody_is_asked_to_come() {
    let world = World::new().await;
    let of = world.delivered(2, "100000.00", None).await;
    let mut waiting = Vec::new();
    for day in ["2026-05-06", "2026-05-07"] {
        let change = json!({"way_back": "pickup", "pickup_date": day, "pickup_slot": "08:00"});
        waiting.push(world.request(&of, 1, "other", change).await);
    }
    world.app.advance_to(days(2));
    let kept = [(json!(null), json!(null)), (json!("2026-05-07"), json!("08:00"))];
    for (asked, (date, slot)) in waiting.iter().zip(kept) {
        world.step(&world.finance, asked, "approve", &json!({})).await.expect(200);
        let told = world.app.facts(id_of(asked)).await.pop().unwrap();
        assert_eq!(told.kind, "quenty.returns.return.pickup_requested.v1");
        assert_eq!((&told.data["date"], &told.data["slot"]), (&date, &slot));
    }
    world.assert_sound().await;
}

#[tokio::test]
async fn a_slot_that_is_no_time_is_refused() {
    let world = World::new().await;
    let of = world.delivered(1, "100000.00", None).await;
    let asked = world.request(&of, 1, "wrong_item", json!({})).await;
    for slot in ["8:00", " 8:00", "08:0", "24:00", "99:99", "08.00"] {
        let refused = world.step(&world.merchant, &asked, "schedule-pickup", &json!({"slot": slot})).await;
        assert_eq!(refused.expect(422).json()["errors"][0]["pointer"], "/slot", "{slot}");
    }
    world.step(&world.merchant, &asked, "schedule-pickup", &json!({"slot": "08:00"})).await.expect(200);
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
async fn what_the_carrier_gives_back_to_the_buyer_can_go_another_way() {
    let world = World::new().await;
    let of = world.delivered(1, "100000.00", None).await;
    let asked = world.request(&of, 1, "wrong_item", json!({"way_back": "label"})).await;
    let shipment = world.label_booked(&asked).await;
    let departed: ShipmentDeparted = serde_json::from_value(
        json!({"shipment_id": shipment, "return_id": asked["id"], "at": "2026-05-05T16:00:00Z"}),
    )
    .unwrap();
    world.app.hear(shipment, Some(world.company), 2, &departed).await;
    assert_eq!(world.read(&asked).await["status"], "in_transit");
    world.app.advance_to(days(20));
    attention(&world, &asked, "STUCK_IN_TRANSIT").await;

    world.app.hear(shipment, Some(world.company), 3, &given_back(shipment, &asked)).await;
    let now = world.read(&asked).await;
    assert_eq!(
        (&now["status"], &now["attention"]["code"]),
        (&json!("approved"), &json!("RETURNED_TO_SENDER"))
    );
    assert_eq!((&now["picked_up_at"], &now["booking"]["shipment_id"]), (&json!(null), &json!(null)));
    assert_eq!(now["approval"]["expires_at"], "2026-06-24T14:00:00Z", "as long as at first");
    world.step(&world.merchant, &asked, "label", &json!({})).await.expect(200);
    let second = world.label_booked(&asked).await;
    // Told again, it is of a booking that is over.
    world.app.hear(shipment, Some(world.company), 4, &given_back(shipment, &asked)).await;
    let now = world.read(&asked).await;
    assert_eq!((&now["status"], &now["booking"]["shipment_id"]), (&json!("label_issued"), &json!(second)));
    world.bring_back(&asked, 1).await;
    world.assert_sound().await;
}

#[tokio::test]
async fn what_was_given_back_frees_its_units_when_it_is_cancelled_or_expires() {
    let world = World::new().await;
    let of = world.delivered(2, "100000.00", None).await;
    let mut given = Vec::new();
    for _ in 0..2 {
        let asked = world.request(&of, 1, "wrong_item", json!({"way_back": "label"})).await;
        let shipment = world.label_booked(&asked).await;
        // News of the road may be missing: the last one tells all of it.
        world.app.hear(shipment, Some(world.company), 2, &given_back(shipment, &asked)).await;
        assert_eq!(world.told(&asked).await[5..], ["picked_up".to_owned(), "given_back".to_owned()]);
        given.push(asked);
    }
    let [cancelled, expired] = &given[..] else { panic!("two were asked for") };
    let now =
        world.step(&world.merchant, cancelled, "cancel", &json!({"reason": "kept"})).await.expect(200).json();
    assert_eq!(now["status"], "cancelled", "nobody has to give a booking back");
    world.request(&of, 1, "wrong_item", json!({})).await;
    world.app.advance_to(days(30));
    status(&world, expired, "expired").await;
    world.request(&of, 1, "defective", json!({})).await;
    world.assert_sound().await;
}

#[tokio::test]
async fn what_a_driver_lost_is_reported_by_a_person_and_paid_back() {
    let world = World::new().await;
    let of = world.delivered(2, "100000.00", None).await;
    let asked = world.request(&of, 1, "changed_mind", json!({"way_back": "pickup"})).await;
    let pickup = world.pickup_booked(&asked).await;
    let lost = json!({"reason": "the van was robbed"});
    let problem =
        world.step(&world.clerk, &asked, "lost", &lost).await.expect_problem(409, "NOT_ON_ITS_WAY").json();
    assert_eq!(problem["current_status"], "pickup_scheduled");
    world.app.hear(pickup, Some(world.company), 2, &completed(&world, pickup, &asked)).await;
    world.step(&world.clerk, &asked, "process", &json!({})).await.expect_problem(409, "ILLEGAL_TRANSITION");

    let now = world.step(&world.clerk, &asked, "lost", &lost).await.expect(200).json();
    assert_eq!(
        (&now["status"], &now["attention"]["code"], &now["lost_at"]),
        (&json!("picked_up"), &json!("LOST"), &json!(world.app.now()))
    );
    assert!(now["attention"]["detail"].as_str().unwrap().starts_with("the van was robbed"), "{now}");
    let again = world.step(&world.clerk, &asked, "lost", &lost).await.expect(200).json();
    assert_eq!(again["version"], now["version"], "it is known");
    let done = world.process(&asked).await;
    assert_eq!(
        done["amounts"]["refund"]["amount"], "104500.00",
        "the goods and their shipping: it is not the buyer's fault"
    );
    world.refund(&asked).await.expect(200);
    world.step(&world.clerk, &asked, "lost", &lost).await.expect_problem(409, "NOT_ON_ITS_WAY");
    world.assert_sound().await;
}

#[tokio::test]
async fn what_turns_up_after_it_was_taken_for_lost_counts_as_it_came() {
    let world = World::new().await;
    let of = world.delivered(2, "100000.00", None).await;
    let asked = world.request(&of, 2, "wrong_item", json!({"way_back": "pickup"})).await;
    let pickup = world.pickup_booked(&asked).await;
    world.app.hear(pickup, Some(world.company), 2, &completed(&world, pickup, &asked)).await;
    let lost = json!({"reason": "not in the van"});
    world.step(&world.clerk, &asked, "lost", &lost).await.expect(200);
    let some = world.receive(&asked, 1).await;
    assert_eq!((&some["lost_at"], &some["attention"]), (&json!(world.app.now()), &json!(null)));
    let forgotten = "update returns set state = jsonb_set(state, '{lost_at}', 'null')";
    sqlx::query(forgotten).execute(world.app.app.db()).await.unwrap();
    sqlx::raw_sql(include_str!("../../migrations/0009_lost_rows.sql"))
        .execute(world.app.app.db())
        .await
        .unwrap();
    assert_eq!(world.read(&asked).await["lost_at"], some["lost_at"], "rows of before forgot it");
    world.inspect(&asked, &[found(1, "good", "confirmed")]).await;
    let done = world.process(&asked).await;
    assert_eq!(done["amounts"]["refund"]["amount"], "209000.00", "the other one is as lost as it was");
    world.assert_sound().await;
}

#[tokio::test]
async fn what_is_missing_of_what_a_driver_took_is_reported_and_paid_back_too() {
    let world = World::new().await;
    let of = world.delivered(4, "100000.00", None).await;
    let lost = json!({"reason": "the parcel was open"});
    let short = async |reason: &str| {
        let asked = world.request(&of, 2, reason, json!({"way_back": "pickup"})).await;
        let pickup = world.pickup_booked(&asked).await;
        world.app.hear(pickup, Some(world.company), 2, &completed(&world, pickup, &asked)).await;
        world.receive(&asked, 1).await;
        asked
    };
    let asked = short("changed_mind").await;
    let now = world.step(&world.clerk, &asked, "lost", &lost).await.expect(200).json();
    assert_eq!(
        (&now["status"], &now["attention"]["code"], &now["lost_at"]),
        (&json!("received"), &json!("LOST"), &json!(world.app.now()))
    );
    assert_ne!(now["deadline"], json!(null), "the other one is still to be inspected");
    world.step(&world.clerk, &asked, "process", &json!({})).await.expect_problem(409, "ILLEGAL_TRANSITION");
    world.inspect(&asked, &[found(1, "good", "confirmed")]).await;
    let done = world.process(&asked).await;
    assert_eq!(
        done["amounts"]["refund"]["amount"], "192250.00",
        "one less the fee, the other with its shipping: that is not the buyer's fault"
    );
    world.refund(&asked).await.expect(200);

    // It turns up before anything is paid: it counts as it came.
    let asked = short("wrong_item").await;
    world.inspect(&asked, &[found(1, "good", "confirmed")]).await;
    world.step(&world.clerk, &asked, "lost", &lost).await.expect(200);
    assert_eq!(world.receive(&asked, 1).await["lost_at"], json!(null));
    world.step(&world.clerk, &asked, "lost", &lost).await.expect_problem(409, "NOT_ON_ITS_WAY");
    world.inspect(&asked, &[found(2, "good", "refused")]).await;
    assert_eq!(world.process(&asked).await["amounts"]["refund"]["amount"], "102250.00");
    world.assert_sound().await;
}

#[tokio::test]
async fn what_a_person_took_for_lost_goes_on_when_the_carrier_brings_it() {
    let world = World::new().await;
    let of = world.delivered(1, "100000.00", None).await;
    let asked = world.request(&of, 1, "wrong_item", json!({"way_back": "label"})).await;
    let shipment = world.label_booked(&asked).await;
    let departed: ShipmentDeparted = serde_json::from_value(
        json!({"shipment_id": shipment, "return_id": asked["id"], "at": "2026-05-05T16:00:00Z"}),
    )
    .unwrap();
    world.app.hear(shipment, Some(world.company), 2, &departed).await;
    world.step(&world.clerk, &asked, "lost", &json!({"reason": "no scan"})).await.expect(200);
    let delivered: ShipmentDelivered =
        serde_json::from_value(json!({"shipment_id": shipment, "company_id": world.company,
        "return_id": asked["id"], "at": "2026-05-06T16:00:00Z", "proof": "carrier", "on_time": true}))
        .unwrap();
    world.app.hear(shipment, Some(world.company), 3, &delivered).await;
    let now = world.read(&asked).await;
    assert_eq!((&now["lost_at"], &now["attention"]), (&json!(null), &json!(null)));
    world.step(&world.clerk, &asked, "process", &json!({})).await.expect_problem(409, "ILLEGAL_TRANSITION");
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
    world.app.hear(stranger, Some(world.company), 2, &rescheduled(stranger, &asked, "2026-05-07")).await;
    world.app.hear(stranger, Some(world.company), 3, &came_in_vain(stranger, &asked)).await;
    let shipment = ShipmentId::new();
    let lost: ShipmentLost = serde_json::from_value(
        json!({"shipment_id": shipment, "return_id": asked["id"], "at": "2026-05-08T16:00:00Z"}),
    )
    .unwrap();
    world.app.hear(shipment, Some(world.company), 1, &lost).await;
    world.app.hear(shipment, Some(world.company), 2, &given_back(shipment, &asked)).await;
    let now = world.read(&asked).await;
    assert_eq!(now["status"], "pickup_scheduled");
    assert_eq!(
        (&now["booking"]["window_start"], &now["booking"]["failure"]),
        (&json!("2026-05-05T15:00:00Z"), &json!(null))
    );
}
