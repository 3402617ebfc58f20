use quenty_kernel::id::{OrderId, PickupId};
use serde_json::json;

use crate::support::{TOMORROW, World, scheduled};

#[tokio::test]
async fn an_order_s_request_books_a_pickup_once_for_each_attempt() {
    let world = World::new(5).await;
    let order = OrderId::new();
    let mut request = world.request(order, 1, "scheduled");
    request.date = Some("2026-05-06".parse().unwrap());
    request.slot = Some("14:00".to_owned());
    world.app.hear(order, Some(world.company), 1, &request).await;
    world.app.hear(order, Some(world.company), 2, &request).await;
    let pickups = world.pickups_of(order).await;
    assert_eq!(pickups.len(), 1);
    assert_eq!(
        (&pickups[0]["status"], &pickups[0]["window"]["start"]),
        (&json!("scheduled"), &json!("2026-05-06T19:00:00Z"))
    );
    assert_eq!(pickups[0]["tracking_number"], "QTY123456782CO");
    request.attempt = 2;
    world.app.hear(order, Some(world.company), 3, &request).await;
    assert_eq!(world.pickups_of(order).await.len(), 2);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_repeated_request_hears_its_answer_again_while_that_is_true() {
    let world = World::new(5).await;
    let order = OrderId::new();
    let request = world.request(order, 1, "scheduled");
    let ask = |version: i64| world.app.hear(order, Some(world.company), version, &request);
    ask(1).await;
    let pickup = world.pickups_of(order).await.remove(0);
    world
        .step(&world.dispatcher, &pickup, "reschedule", &json!({"date": TOMORROW, "slot": "14:00"}))
        .await
        .expect(200);
    ask(2).await;
    let told = ["pickup.requested", "pickup.scheduled", "pickup.rescheduled", "pickup.scheduled"];
    assert_eq!(world.told(&pickup).await, told);
    let id: PickupId = pickup["id"].as_str().unwrap().parse().unwrap();
    let again = world.app.facts(id).await.pop().unwrap().data;
    assert_eq!((&again["attempt"], &again["window_start"]), (&json!(1), &json!("2026-05-06T19:00:00Z")));
    let now = world.pickups_of(order).await.remove(0);
    let path = format!("/api/v1/pickups/{id}?as_of={}", world.app.now());
    assert_eq!(world.get(&world.merchant, &path).await.expect(200).json(), now, "the journal folds back");
    assert_eq!(world.remaining(TOMORROW, "14:00").await, 4, "it takes one place");

    world.cancel(&pickup).await;
    ask(3).await;
    assert_eq!(world.told(&pickup).await[4..], ["pickup.cancelled"], "nobody comes any more");

    let far = OrderId::new();
    let mut nowhere = world.request(far, 1, "scheduled");
    nowhere.sender.address =
        serde_json::from_value(json!({"line1": "x", "city": "Cali", "country": "CO"})).unwrap();
    for version in [1, 2] {
        world.app.hear(far, Some(world.company), version, &nowhere).await;
    }
    let rejected = world.pickups_of(far).await.remove(0);
    assert_eq!(world.told(&rejected).await[1..], ["pickup.rejected", "pickup.rejected"]);
    world.assert_sound().await;
}

#[tokio::test]
async fn what_cannot_be_collected_is_an_answer_with_a_reason_and_not_an_error() {
    let world = World::new(1).await;
    world.book(&scheduled(TOMORROW, "10:00")).await;
    let ask = async |change: &dyn Fn(&mut quenty_contracts::order::PickupRequested)| {
        let order = OrderId::new();
        let mut request = world.request(order, 1, "scheduled");
        change(&mut request);
        world.app.hear(order, Some(world.company), 1, &request).await;
        let pickup = world.pickups_of(order).await.remove(0);
        assert_eq!(pickup["status"], "rejected");
        assert_eq!(world.told(&pickup).await, ["pickup.requested", "pickup.rejected"]);
        pickup["reason_code"].as_str().unwrap().to_owned()
    };
    let full = |request: &mut quenty_contracts::order::PickupRequested| {
        request.date = Some(TOMORROW.parse().unwrap());
        request.slot = Some("10:00".to_owned());
    };
    assert_eq!(ask(&full).await, "NO_CAPACITY");
    assert_eq!(ask(&|request| request.slot = Some("at noon".to_owned())).await, "NO_CAPACITY");
    assert_eq!(
        ask(&|request| request.sender.address =
            serde_json::from_value(json!({"line1": "x", "city": "Cali", "country": "CO"})).unwrap())
        .await,
        "NO_SERVICE_AREA"
    );
    assert_eq!(
        ask(&|request| request.insured_value =
            Some(serde_json::from_value(json!({"amount": "9.00", "currency": "USD"})).unwrap()))
        .await,
        "INSURANCE_UNAVAILABLE"
    );
    let area = world.get(&world.dispatcher, "/api/v1/service-areas").await.json()["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    world
        .app
        .patch(&format!("/api/v1/service-areas/{area}"))
        .token(&world.dispatcher)
        .json(&json!({"express": false}))
        .send()
        .await
        .expect(200);
    assert_eq!(ask(&|request| request.kind = "express".to_owned()).await, "EXPRESS_UNAVAILABLE");
    world.assert_sound().await;
}

#[tokio::test]
async fn an_order_cancels_its_pickup_until_the_driver_has_begun() {
    let world = World::new(5).await;
    let (order, begun) = (OrderId::new(), OrderId::new());
    for order in [order, begun] {
        world.app.hear(order, Some(world.company), 1, &world.request(order, 1, "scheduled")).await;
    }
    let pickup = world.pickups_of(begun).await.remove(0);
    let (driver, token) = world.driver().await;
    world.step(&world.dispatcher, &pickup, "assign", &json!({"driver_id": driver["id"]})).await.expect(200);
    world.step(&token, &pickup, "start", &json!({})).await.expect(200);
    for order in [order, begun] {
        world.app.hear(order, Some(world.company), 2, &world.wish_to_cancel(order, 1)).await;
    }
    let (cancelled, refused) =
        (world.pickups_of(order).await.remove(0), world.pickups_of(begun).await.remove(0));
    assert_eq!((&cancelled["status"], &refused["status"]), (&json!("cancelled"), &json!("in_progress")));
    assert_eq!(world.told(&cancelled).await.last().unwrap(), "pickup.cancelled");
    assert_eq!(world.told(&refused).await.last().unwrap(), "pickup.cancel_refused");
    // Asked again, it is answered again, and nothing moves.
    world.app.hear(order, Some(world.company), 3, &world.wish_to_cancel(order, 1)).await;
    assert_eq!(world.told(&cancelled).await.last().unwrap(), "pickup.cancelled");
    world.assert_sound().await;
}

#[tokio::test]
async fn a_wish_about_a_request_that_was_never_made_is_answered_and_the_request_books_nothing_later() {
    let world = World::new(5).await;
    let order = OrderId::new();
    let pickup = PickupId::new();
    let wish = quenty_contracts::order::OrderCancelRequested {
        pickup_id: Some(pickup),
        ..world.wish_to_cancel(order, 1)
    };
    world.app.hear(order, Some(world.company), 2, &wish).await;
    assert_eq!(world.app.facts(pickup).await[0].kind, "quenty.pickup.pickup.cancelled.v1");
    world.app.hear(order, Some(world.company), 1, &world.request(order, 1, "scheduled")).await;
    assert!(world.pickups_of(order).await.is_empty());
    world.assert_sound().await;
}
