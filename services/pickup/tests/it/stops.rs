use jiff::ToSpan;
use quenty_kernel::{
    Scope,
    id::{OrderId, PickupId},
};
use quenty_platform::journal;
use serde_json::{Value, json};

use crate::support::{NINE, TODAY, TOMORROW, World, at, express, scheduled};

#[tokio::test]
async fn a_driver_collects_and_the_proof_is_kept() {
    let world = World::new(3).await;
    let (pickup, driver) = world.in_progress(&scheduled(TODAY, "10:00")).await;
    world
        .step(&driver, &pickup, "arrive", &json!({"position": {"lat": 4.67, "lng": -74.04}}))
        .await
        .expect(200);
    let proof = json!({"parcel_count": 1, "weight_grams": 1250, "handed_over_by": "Luz Marín",
        "position": {"lat": 4.67, "lng": -74.04}, "signature_svg": "<svg><path d=\"M1 1 L2 2\"/></svg>"});
    let done = world.step(&driver, &pickup, "complete", &proof).await.expect(200).json();
    assert_eq!(done["status"], "completed");
    for (field, value) in proof.as_object().unwrap() {
        assert_eq!(&done["proof"][field], value);
    }
    assert_eq!(
        world.told(&pickup).await,
        [
            "pickup.requested",
            "pickup.scheduled",
            "pickup.assigned",
            "pickup.started",
            "pickup.arrived",
            "pickup.completed",
            "pickup.signed"
        ]
    );
    // What a person wrote or signed stands beside the chain.
    let id: PickupId = pickup["id"].as_str().unwrap().parse().unwrap();
    let public: Value =
        journal::entries(world.app.app.db(), Scope::All, &id.to_string(), None).await.unwrap()[5]
            .data
            .clone();
    assert_eq!(public["signature_svg"], json!(null));
    world.step(&driver, &pickup, "complete", &proof).await.expect_problem(409, "ILLEGAL_TRANSITION");
    world.assert_sound().await;
}

#[tokio::test]
async fn a_driver_without_network_tells_late_what_was_collected() {
    let world = World::new(3).await;
    let order = OrderId::new();
    world.app.hear(order, Some(world.company), 1, &world.request(order, 1, "scheduled")).await;
    let cancelled = world.pickups_of(order).await.remove(0);
    let unknown = world.book(&scheduled(TODAY, "10:00")).await;
    let never_told = world.book(&scheduled(TODAY, "10:00")).await;
    let (driver, token) = world.driver().await;
    for pickup in [&cancelled, &unknown, &never_told] {
        let to = json!({"driver_id": driver["id"]});
        world.step(&world.dispatcher, pickup, "assign", &to).await.expect(200);
    }
    world.app.hear(order, Some(world.company), 2, &world.wish_to_cancel(order, 1)).await;
    world.cancel(&never_told).await;
    world.app.advance_to(at(NINE) + 4.hours());
    let mut proof = json!({"parcel_count": 1, "handed_over_by": "Luz Marín", "at": "2026-05-06T15:30:00Z"});
    world.step(&token, &unknown, "complete", &proof).await.expect_problem(422, "IN_THE_FUTURE");
    proof["at"] = json!("2026-05-04T15:30:00Z");
    world.step(&token, &unknown, "complete", &proof).await.expect_problem(422, "BEFORE_THE_PICKUP");
    proof["at"] = json!("2026-05-05T15:30:00.123456789Z");
    for pickup in [&cancelled, &unknown] {
        let done = world.step(&token, pickup, "complete", &proof).await.expect(200).json();
        assert_eq!(
            (&done["status"], &done["proof"]["at"]),
            (&json!("completed"), &json!("2026-05-05T15:30:00.123456Z"))
        );
        let path = format!("/api/v1/pickups/{}", pickup["id"].as_str().unwrap());
        assert_eq!(world.get(&world.merchant, &path).await.expect(200).json(), done);
        let then = format!("{path}?as_of={}", world.app.now());
        assert_eq!(world.get(&world.merchant, &then).await.expect(200).json(), done);
    }
    assert_eq!(world.told(&cancelled).await[3..], ["pickup.cancelled", "pickup.completed"]);
    // Its window ended at noon, two days ago.
    world.app.advance_to(at(NINE) + 52.hours());
    world.step(&token, &never_told, "complete", &proof).await.expect_problem(409, "TOLD_TOO_LATE");
    world.assert_sound().await;
}

#[tokio::test]
async fn nobody_starts_on_another_day_and_the_next_attempt_is_not_before_the_window() {
    let world = World::new(3).await;
    let (driver, token) = world.driver().await;
    let (early, today) =
        (world.book(&scheduled(TOMORROW, "10:00")).await, world.book(&scheduled(TODAY, "16:00")).await);
    for pickup in [&early, &today] {
        let to = json!({"driver_id": driver["id"]});
        world.step(&world.dispatcher, pickup, "assign", &to).await.expect(200);
    }
    world.step(&token, &early, "start", &json!({})).await.expect_problem(409, "TOO_EARLY");
    world.step(&token, &today, "start", &json!({})).await.expect(200);
    let failed = world.step(&token, &today, "fail", &json!({"code": "NOT_READY"})).await.expect(200).json();
    assert_eq!(failed["window"], today["window"], "the goods are promised for then");
    world.assert_sound().await;
}

#[tokio::test]
async fn some_of_the_parcels_are_not_all_of_them() {
    let world = World::new(3).await;
    let mut body = scheduled(TODAY, "10:00");
    body["parcels"] = json!([{"weight_grams": 1200}, {"weight_grams": 800}, {"weight_grams": 500}]);
    let (pickup, driver) = world.in_progress(&body).await;
    let mut hand_over = json!({"parcel_count": 1, "handed_over_by": "Luz Marín"});
    let refused =
        world.step(&driver, &pickup, "complete", &hand_over).await.expect_problem(422, "COUNT_DIFFERS");
    assert_eq!(refused.json()["booked"], 3);
    hand_over["difference"] = json!("two are not packed yet");
    let done = world.step(&driver, &pickup, "complete", &hand_over).await.expect(200).json();
    assert_eq!(done["proof"]["difference"], "two are not packed yet");
    let id: PickupId = pickup["id"].as_str().unwrap().parse().unwrap();
    let told = world.app.facts(id).await.pop().unwrap().data;
    assert_eq!((&told["parcel_count"], &told["parcels_booked"]), (&json!(1), &json!(3)));
    world.assert_sound().await;
}

#[tokio::test]
async fn a_driver_reaches_own_stops_only() {
    let world = World::new(3).await;
    let (own, driver) = world.in_progress(&scheduled(TODAY, "10:00")).await;
    let (other, _) = world.in_progress(&scheduled(TODAY, "10:00")).await;
    let path = |pickup: &Value| format!("/api/v1/pickups/{}", pickup["id"].as_str().unwrap());
    world.get(&driver, &path(&own)).await.expect(200);
    world.get(&driver, &path(&other)).await.expect_problem(404, "NOT_FOUND");
    for (verb, body) in [
        ("arrive", json!({})),
        ("complete", json!({"parcel_count": 1})),
        ("fail", json!({"code": "CLOSED"})),
        ("start", json!({})),
    ] {
        world.step(&driver, &other, verb, &body).await.expect_problem(404, "NOT_FOUND");
    }
    let listed = world.get(&driver, "/api/v1/pickups").await.expect(200).json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    // A stop that was given to someone else is out of reach at once.
    let declined = world.book(&scheduled(TODAY, "12:00")).await;
    let (somebody, token) = world.driver().await;
    world
        .step(&world.dispatcher, &declined, "assign", &json!({"driver_id": somebody["id"]}))
        .await
        .expect(200);
    world.step(&token, &declined, "unassign", &json!({"reason": "flat tyre"})).await.expect(200);
    world.step(&token, &declined, "start", &json!({})).await.expect_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_failed_attempt_gets_the_next_slot_and_the_third_is_the_last() {
    let world = World::new(1).await;
    world.book(&scheduled(TODAY, "12:00")).await;
    let (pickup, driver) = world.in_progress(&scheduled(TODAY, "10:00")).await;
    let path = format!("/api/v1/pickups/{}", pickup["id"].as_str().unwrap());
    let assigned = json!({"driver_id": pickup["driver_id"]});
    let failure =
        json!({"code": "CLOSED", "detail": "nobody opened", "position": {"lat": 4.67, "lng": -74.04}});
    world.app.advance_to(at(NINE) + 90.minutes());
    let failed = world.step(&driver, &pickup, "fail", &failure).await.expect(200).json();
    // The slot from 12 is full: the next one begins at 14.
    assert_eq!(
        (&failed["status"], &failed["window"]["start"]),
        (&json!("scheduled"), &json!("2026-05-05T19:00:00Z"))
    );
    assert_eq!(failed["failed_attempts"][0]["code"], "CLOSED");
    assert_eq!(failed["driver_id"], json!(null));
    for _ in 0..2 {
        world.step(&world.dispatcher, &pickup, "assign", &assigned).await.expect(200);
        world.step(&driver, &pickup, "start", &json!({})).await.expect(200);
        world.step(&driver, &pickup, "fail", &failure).await.expect(200);
    }
    let end = world.get(&world.merchant, &path).await.expect(200).json();
    assert_eq!((&end["status"], end["failed_attempts"].as_array().unwrap().len()), (&json!("abandoned"), 3));
    assert_eq!(world.told(&pickup).await.last().unwrap(), "pickup.abandoned");
    assert_eq!(world.remaining(TODAY, "14:00").await, 1);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_failed_attempt_without_room_ahead_waits_for_a_person() {
    let world = World::new(1).await;
    // Nobody drives to the same wrong address again.
    let (wrong, driver) = world.in_progress(&scheduled(TODAY, "12:00")).await;
    let failed =
        world.step(&driver, &wrong, "fail", &json!({"code": "WRONG_ADDRESS"})).await.expect(200).json();
    assert_eq!((&failed["status"], world.remaining(TODAY, "12:00").await), (&json!("failed"), 1));
    let (pickup, driver) = world.in_progress(&scheduled(TODAY, "10:00")).await;
    let areas = world.get(&world.dispatcher, "/api/v1/service-areas").await.json();
    let days: Vec<String> = (5..=12).map(|day| format!("2026-05-{day:02}")).collect();
    let path = format!("/api/v1/service-areas/{}", areas["items"][0]["id"].as_str().unwrap());
    world.app.patch(&path).token(&world.dispatcher).json(&json!({"holidays": days})).send().await.expect(200);
    let failed = world.step(&driver, &pickup, "fail", &json!({"code": "NOT_READY"})).await.expect(200).json();
    assert_eq!(failed["status"], "failed");
    world.step(&world.merchant, &pickup, "reschedule", &json!({})).await.expect_problem(409, "NO_CAPACITY");
    world.app.patch(&path).token(&world.dispatcher).json(&json!({"holidays": []})).send().await.expect(200);
    let moved = world.step(&world.merchant, &pickup, "reschedule", &json!({})).await.expect(200).json();
    assert_eq!((&moved["status"], &moved["merchant_reschedules"]), (&json!("scheduled"), &json!(0)));
    world.step(&world.merchant, &pickup, "cancel", &json!({"reason": "we give up"})).await.expect(200);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_missed_express_guarantee_refunds_its_fee_and_a_kept_one_does_not() {
    let world = World::new(5).await;
    let late = world.book(&express()).await;
    let (kept, driver) = world.in_progress(&express()).await;
    let cancelled = world.book(&express()).await;
    world.step(&world.merchant, &cancelled, "cancel", &json!({"reason": "wrong day"})).await.expect(200);
    // As a process of an older version leaves the row.
    let forgotten = "update pickups set cancelled_at = null";
    sqlx::query(forgotten).execute(world.app.app.db()).await.unwrap();
    world.app.advance_to(at(NINE) + 59.minutes());
    world.step(&driver, &kept, "arrive", &json!({})).await.expect(200);
    // That the driver was there may be told late.
    world.app.advance_to(at(NINE) + 89.minutes());
    world.app.at_rest().await;
    assert_eq!(world.told(&late).await.last().unwrap(), "pickup.scheduled");
    world.app.advance_to(at(NINE) + 90.minutes());
    world.app.at_rest().await;
    let refund = async |pickup: &Value| {
        let path = format!("/api/v1/pickups/{}", pickup["id"].as_str().unwrap());
        world.get(&world.merchant, &path).await.expect(200).json()["refund"].clone()
    };
    assert_eq!(refund(&late).await, json!({"amount": "15000.00", "currency": "COP"}));
    assert_eq!((refund(&kept).await, refund(&cancelled).await), (json!(null), json!(null)));
    assert_eq!(world.told(&late).await.last().unwrap(), "express.missed");
    world.assert_sound().await;
}

#[tokio::test]
async fn a_driver_who_breaks_down_on_the_way_breaks_the_guarantee() {
    let world = World::new(5).await;
    let (on_the_way, driver) = world.in_progress(&express()).await;
    let (at_the_door, other) = world.in_progress(&express()).await;
    world.app.advance_to(at(NINE) + 20.minutes());
    world.step(&other, &at_the_door, "arrive", &json!({})).await.expect(200);
    let failure = json!({"code": "OTHER", "detail": "flat tyre"});
    let failed = world.step(&driver, &on_the_way, "fail", &failure).await.expect(200).json();
    assert_eq!(failed["refund"], json!({"amount": "15000.00", "currency": "COP"}));
    let failed = world.step(&other, &at_the_door, "fail", &failure).await.expect(200).json();
    assert_eq!(failed["refund"], json!(null), "somebody was there in time");

    // At twenty past ten this one ends. That nobody opened before is told later.
    let mut closed = json!({"code": "CLOSED", "at": "2026-05-05T16:00:00Z"});
    let (told_late, third) = world.in_progress(&express()).await;
    world.app.advance_to(at(NINE) + 85.minutes());
    world.step(&third, &told_late, "fail", &closed).await.expect_problem(422, "IN_THE_FUTURE");
    closed["at"] = json!("2026-05-05T14:50:00.123456789Z");
    let failed = world.step(&third, &told_late, "fail", &closed).await.expect(200).json();
    assert_eq!(
        (&failed["refund"], &failed["failed_attempts"][0]["at"]),
        (&json!(null), &json!("2026-05-05T14:50:00.123456Z"))
    );
    world.app.advance_to(at(NINE) + 90.minutes());
    world.app.at_rest().await;
    for (pickup, times) in [(on_the_way, 1), (at_the_door, 0), (told_late, 0)] {
        let told = world.told(&pickup).await;
        assert_eq!(told.iter().filter(|fact| *fact == "express.missed").count(), times, "{told:?}");
    }
    world.assert_sound().await;
}

#[tokio::test]
async fn a_cancellation_or_a_move_after_the_hour_neither_forgets_a_broken_guarantee_nor_breaks_a_kept_one() {
    let world = World::new(6).await;
    let (kept, moved) = (world.book(&express()).await, world.book(&express()).await);
    let late = world.book(&express()).await;
    let (driver, token) = world.driver().await;
    for pickup in [&kept, &late] {
        let to = json!({"driver_id": driver["id"]});
        world.step(&world.dispatcher, pickup, "assign", &to).await.expect(200);
    }
    let merchants = world.book(&express()).await;
    let order = OrderId::new();
    world.app.hear(order, Some(world.company), 1, &world.request(order, 1, "express")).await;
    let orders = world.pickups_of(order).await.remove(0);
    world.app.advance_to(at(NINE) + 61.minutes());
    world.cancel(&merchants).await;
    world.app.hear(order, Some(world.company), 2, &world.wish_to_cancel(order, 1)).await;
    let tomorrow = json!({"date": TOMORROW});
    for pickup in [&kept, &late] {
        let refused = world.step(&world.merchant, pickup, "reschedule", &tomorrow).await;
        refused.expect_problem(409, "NOT_JUDGED_YET");
    }
    world.cancel(&kept).await;
    world.step(&world.merchant, &moved, "reschedule", &tomorrow).await.expect(200);
    // The driver was in a cellar.
    let proof = json!({"parcel_count": 1, "handed_over_by": "Luz Marín", "at": "2026-05-05T14:45:00Z"});
    world.step(&token, &kept, "complete", &proof).await.expect(200);
    world.app.advance_to(at(NINE) + 90.minutes());
    world.app.at_rest().await;
    world.step(&world.merchant, &late, "reschedule", &tomorrow).await.expect(200);
    for pickup in [&moved, &late] {
        let path = format!("/api/v1/pickups/{}", pickup["id"].as_str().unwrap());
        let row = world.get(&world.merchant, &path).await.expect(200).json();
        assert_eq!(
            (&row["cost"], &row["refund"]["amount"]),
            (&pickup["cost"], &json!("15000.00")),
            "the fee that was paid is what comes back"
        );
    }
    for (pickup, last) in [
        (&merchants, ["pickup.cancelled", "express.missed"]),
        (&orders, ["pickup.cancelled", "express.missed"]),
        (&kept, ["pickup.cancelled", "pickup.completed"]),
        (&moved, ["express.missed", "pickup.rescheduled"]),
        (&late, ["express.missed", "pickup.rescheduled"]),
    ] {
        let told = world.told(pickup).await;
        assert_eq!(told[told.len() - 2..], last);
        let path = format!("/api/v1/pickups/{}", pickup["id"].as_str().unwrap());
        let row = world.get(&world.merchant, &path).await.expect(200).json();
        let then = format!("{path}?as_of={}", world.app.now());
        assert_eq!(world.get(&world.merchant, &then).await.expect(200).json(), row);
    }
    world.assert_sound().await;
}

#[tokio::test]
async fn the_facts_in_the_journal_rebuild_the_row() {
    let world = World::new(2).await;
    let (pickup, driver) = world.in_progress(&express()).await;
    world.app.advance_to(at(NINE) + 90.minutes());
    world.app.at_rest().await;
    world.step(&driver, &pickup, "fail", &json!({"code": "NO_ACCESS"})).await.expect(200);
    world.step(&world.merchant, &pickup, "reschedule", &json!({"date": TOMORROW})).await.expect(200);
    let path = format!("/api/v1/pickups/{}", pickup["id"].as_str().unwrap());
    let row = world.get(&world.merchant, &path).await.expect(200).json();
    let folded =
        world.get(&world.merchant, &format!("{path}?as_of={}", world.app.now())).await.expect(200).json();
    assert_eq!(row, folded);
    assert_eq!(row["refund"]["amount"], "15000.00");
}
