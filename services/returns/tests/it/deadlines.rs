use quenty_testkit::wait::eventually;
use serde_json::{Value, json};

use crate::{
    support::{World, at, days, found},
    way_back::{called_off, came_in_vain, cancel_refused, cancelled, completed, rescheduled},
};

pub async fn attention(world: &World, of: &Value, code: &str) {
    eventually(&format!("{code} is raised"), || async {
        (world.read(of).await["attention"]["code"] == code).then_some(())
    })
    .await;
}

pub async fn status(world: &World, of: &Value, status: &str) {
    eventually(&format!("it is {status}"), || async {
        (world.read(of).await["status"] == status).then_some(())
    })
    .await;
}

async fn given_back(world: &World, of: &Value) {
    eventually("the pickup is given back", || async {
        (world.read(of).await["ending"] == "expired").then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_never_arrives_expires_and_frees_its_units() {
    let world = World::new().await;
    let of = world.delivered(1, "50000.00", None).await;
    let asked = world.request(&of, 1, "wrong_item", json!({})).await;
    world.app.advance_to(days(30));
    status(&world, &asked, "expired").await;
    world.request(&of, 1, "defective", json!({})).await;
    world.assert_sound().await;
}

#[tokio::test]
async fn with_a_driver_booked_it_expires_once_the_driver_is_called_off() {
    let world = World::new().await;
    let of = world.delivered(1, "50000.00", None).await;
    let asked = world.request(&of, 1, "wrong_item", json!({"way_back": "pickup"})).await;
    let pickup = world.pickup_booked(&asked).await;
    world.app.advance_to(days(30));
    given_back(&world, &asked).await;
    world.app.hear(pickup, Some(world.company), 2, &cancel_refused(pickup, &asked)).await;
    world.app.at_rest().await;
    let now = world.read(&asked).await;
    assert_eq!((&now["ending"], &now["deadline"]), (&json!(null), &json!(days(31))));
    assert_eq!(called_off(&world, &asked).await, 1, "the driver is under way");
    world.app.advance_to(days(31));
    given_back(&world, &asked).await;
    assert_eq!(called_off(&world, &asked).await, 2);
    world.app.hear(pickup, Some(world.company), 3, &cancelled(pickup, &asked)).await;
    status(&world, &asked, "expired").await;
    world.assert_sound().await;
}

#[tokio::test]
async fn nothing_expires_under_a_driver_who_is_promised_for_later() {
    let world = World::new().await;
    let of = world.delivered(1, "50000.00", None).await;
    let asked = world.request(&of, 1, "wrong_item", json!({"way_back": "pickup"})).await;
    let pickup = world.pickup_booked(&asked).await;
    world.app.hear(pickup, Some(world.company), 2, &rescheduled(pickup, &asked, "2026-06-14")).await;
    assert_eq!(world.read(&asked).await["approval"]["expires_at"], "2026-06-15T17:00:00Z");
    world.app.advance_to(days(30));
    world.app.at_rest().await;
    let now = world.read(&asked).await;
    assert_eq!((&now["status"], &now["ending"]), (&json!("pickup_scheduled"), &json!(null)));
    assert_eq!(called_off(&world, &asked).await, 0);
    world.app.advance_to(at("2026-06-15T17:00:00Z"));
    given_back(&world, &asked).await;
    world.assert_sound().await;
}

#[tokio::test]
async fn a_cancellation_that_nobody_answers_is_asked_for_again() {
    let world = World::new().await;
    let of = world.delivered(2, "50000.00", None).await;
    let booked = world.request(&of, 1, "wrong_item", json!({"way_back": "pickup"})).await;
    let pickup = world.pickup_booked(&booked).await;
    let not_booked = world.request(&of, 1, "wrong_item", json!({"way_back": "label"})).await;
    let cancel =
        async |of: &Value| world.step(&world.merchant, of, "cancel", &json!({"reason": "kept"})).await;
    for asked in [&booked, &not_booked] {
        cancel(asked).await.expect(200);
        cancel(asked).await.expect_problem(409, "ENDING");
    }
    world.app.advance_to(at("2026-05-05T14:15:00Z"));
    for asked in [&booked, &not_booked] {
        attention(&world, asked, "ENDING_UNANSWERED").await;
        let now = cancel(asked).await.expect(200).json();
        assert_eq!((&now["ending"], &now["attention"]), (&json!("cancelled"), &json!(null)));
        assert_eq!(called_off(&world, asked).await, 2);
        cancel(asked).await.expect_problem(409, "ENDING");
    }
    world.app.hear(pickup, Some(world.company), 2, &cancelled(pickup, &booked)).await;
    status(&world, &booked, "cancelled").await;
    world.assert_sound().await;
}

#[tokio::test]
async fn a_driver_who_comes_in_vain_or_not_at_all_is_shown_to_a_person_a_day_after_the_window() {
    let world = World::new().await;
    let of = world.delivered(1, "50000.00", None).await;
    let asked = world.request(&of, 1, "wrong_item", json!({"way_back": "pickup"})).await;
    let pickup = world.pickup_booked(&asked).await;
    world.app.hear(pickup, Some(world.company), 2, &came_in_vain(pickup, &asked)).await;
    assert_eq!(world.read(&asked).await["booking"]["failure"], "NOT_READY");
    world.app.advance_to(days(1));
    world.app.at_rest().await;
    assert_eq!(world.read(&asked).await["attention"], json!(null), "another window may be promised");
    world.app.advance_to(at("2026-05-06T17:00:00Z"));
    attention(&world, &asked, "PICKUP_OVERDUE").await;

    world.app.hear(pickup, Some(world.company), 3, &rescheduled(pickup, &asked, "2026-05-07")).await;
    let now = world.read(&asked).await;
    assert_eq!((&now["attention"], &now["booking"]["failure"]), (&json!(null), &json!(null)));
    assert_eq!(now["deadline"], "2026-05-08T17:00:00Z");
    world.app.advance_to(at("2026-05-08T17:00:00Z"));
    attention(&world, &asked, "PICKUP_OVERDUE").await;
    assert_eq!(world.read(&asked).await["deadline"], "2026-06-04T14:00:00Z", "it still expires");

    world.app.hear(pickup, Some(world.company), 4, &completed(&world, pickup, &asked)).await;
    let now = world.read(&asked).await;
    assert_eq!((&now["status"], &now["attention"]), (&json!("picked_up"), &json!(null)));
    world.assert_sound().await;
}

#[tokio::test]
async fn a_new_window_leaves_a_cancellation_to_pickup() {
    let world = World::new().await;
    let of = world.delivered(1, "50000.00", None).await;
    let asked = world.request(&of, 1, "wrong_item", json!({"way_back": "pickup"})).await;
    let pickup = world.pickup_booked(&asked).await;
    let ending =
        world.step(&world.merchant, &asked, "cancel", &json!({"reason": "kept"})).await.expect(200).json();
    world.app.hear(pickup, Some(world.company), 2, &came_in_vain(pickup, &asked)).await;
    world.app.hear(pickup, Some(world.company), 3, &rescheduled(pickup, &asked, "2026-05-07")).await;
    let now = world.read(&asked).await;
    assert_eq!((&now["ending"], &now["deadline"]), (&json!("cancelled"), &ending["deadline"]));
    assert_eq!(now["booking"]["window_start"], "2026-05-07T15:00:00Z");
    world.app.hear(pickup, Some(world.company), 4, &cancel_refused(pickup, &asked)).await;
    assert_eq!(world.read(&asked).await["deadline"], "2026-05-08T17:00:00Z", "the driver is awaited");
    world.assert_sound().await;
}

#[tokio::test]
async fn every_step_that_takes_too_long_is_shown_to_a_person() {
    let world = World::new().await;
    let of = world.delivered(9, "50000.00", None).await;
    let undecided = world.request(&of, 1, "other", json!({})).await;
    let unanswered = world.request(&of, 1, "wrong_item", json!({"way_back": "pickup"})).await;
    let uninspected = world.request(&of, 1, "wrong_item", json!({})).await;
    world.receive(&uninspected, 1).await;
    let unprocessed = world.request(&of, 1, "wrong_item", json!({})).await;
    world.receive(&unprocessed, 1).await;
    world.inspect(&unprocessed, &[found(1, "good", "confirmed")]).await;
    let unpaid = world.request(&of, 1, "wrong_item", json!({})).await;
    world.bring_back(&unpaid, 1).await;
    world.app.advance_to(days(6));
    attention(&world, &undecided, "DECISION_OVERDUE").await;
    attention(&world, &unanswered, "WAY_BACK_UNANSWERED").await;
    attention(&world, &uninspected, "INSPECTION_OVERDUE").await;
    attention(&world, &unprocessed, "PROCESSING_OVERDUE").await;
    attention(&world, &unpaid, "SETTLEMENT_OVERDUE").await;
    // Asking again is possible now, and what happens ends the alarm.
    world.step(&world.merchant, &unanswered, "label", &json!({})).await.expect(200);
    world.refund(&unpaid).await.expect(200);
    assert_eq!(world.read(&unpaid).await["attention"], json!(null));
    world.assert_sound().await;
}
