use jiff::SignedDuration;
use quenty_kernel::{clock::wall_now, id::new_uuid};
use quenty_platform::revocations::Revocation;
use quenty_testkit::stream::Stream;
use serde_json::{Value, json};

use crate::support::{TODAY, TOMORROW, World, scheduled};

/// Opens the stream of a pickup, as its merchant.
async fn follow(world: &World, pickup: &Value) -> Stream {
    let path = format!("/api/v1/pickups/{}/live", pickup["id"].as_str().unwrap());
    world.app.follow(&path, Some(&world.merchant), None).await
}

#[tokio::test]
async fn a_merchant_sees_the_present_state_and_then_what_happens() {
    let world = World::new(5).await;
    let pickup = world.book(&scheduled(TOMORROW, "10:00")).await;
    let other = world.book(&scheduled(TOMORROW, "10:00")).await;
    let mut stream = follow(&world, &pickup).await;
    let first = stream.read_until("\n\n").await;
    let first = if first.contains("snapshot") { first } else { stream.read_until("snapshot").await };
    assert!(first.contains("event: snapshot") || first.contains("event:snapshot"), "{first}");

    let (driver, _) = world.driver().await;
    for pickup in [&other, &pickup] {
        world
            .step(&world.dispatcher, pickup, "assign", &json!({"driver_id": driver["id"]}))
            .await
            .expect(200);
    }
    let told = stream.read_until("quenty.pickup.pickup.assigned.v1").await;
    assert!(!told.contains(other["id"].as_str().unwrap()), "another pickup's news: {told}");
}

#[tokio::test]
async fn a_driver_hears_of_a_stop_until_it_is_somebody_else_s() {
    let world = World::new(5).await;
    let (pickup, token) = world.in_progress(&scheduled(TODAY, "10:00")).await;
    let path = format!("/api/v1/pickups/{}/live", pickup["id"].as_str().unwrap());
    let mut stream = world.app.follow(&path, Some(&token), None).await;
    stream.read_until("snapshot").await;
    world.step(&token, &pickup, "unassign", &json!({"reason": "flat tyre"})).await.expect(200);
    let last = stream.read_until("0\r\n\r\n").await;
    assert!(!last.contains("flat tyre"), "{last}");
}

#[tokio::test]
async fn nobody_follows_a_pickup_on_once_the_rights_in_the_company_have_changed() {
    let world = World::new(5).await;
    let pickup = world.book(&scheduled(TOMORROW, "10:00")).await;
    let mut stream = follow(&world, &pickup).await;
    stream.read_until("snapshot").await;
    let until = wall_now() + SignedDuration::from_mins(16);
    world.app.revoke(Revocation::of_company(world.company, new_uuid(), until));
    // The empty chunk is the end of the body.
    stream.read_until("0\r\n\r\n").await;
}
