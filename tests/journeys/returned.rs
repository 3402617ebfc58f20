//! Goods that come back, from the buyer's door to the shelf and the buyer's account; told on both buses.

use serde_json::{Value, json};

use crate::{
    erased::nothing_is_left_of_the_buyer,
    harness::{Cast, Person, Stage, counter::Counter, fleet::hand_over, merchant::id},
};

on_both_buses!(
    collected_inspected_and_paid_back,
    sent_with_a_label_and_exchanged,
    cancelled_while_the_driver_starts,
    nothing_comes_back_of_what_was_not_delivered,
    nothing_is_left_of_the_buyer,
);

async fn delivered(stage: &Stage, cast: &Cast) -> (Value, Counter) {
    let Cast { merchant, fleet, .. } = cast;
    let order = merchant.place(&merchant.order()).await;
    merchant.pay(&order).await;
    fleet.collect(&order).await;
    let shipment = fleet.shipment_of(&order).await;
    fleet.deliver(&shipment).await;
    merchant.until_status(&order, "delivered").await;
    let admin = Person::administrator(stage).await;
    (order, Counter::new(merchant, fleet, &admin))
}

async fn collected_inspected_and_paid_back(stage: &Stage, cast: Cast) {
    let (order, counter) = delivered(stage, &cast).await;
    let merchant = &cast.merchant;
    assert_eq!(merchant.stock().await, (998, 0));
    let asked = counter.request(&Counter::wanted(&order, "pickup")).await;
    assert_eq!(asked["approval"]["rule"], "WRONG_ITEM");
    counter.collect(&asked).await;
    let done = counter.settle(&asked).await;
    assert_eq!((&done["status"], &done["settlement"]["outcome"]), (&json!("closed"), &json!("refunded")));

    let told = merchant.until_status(&order, "partially_returned").await;
    assert_eq!(told["payment_status"], "partially_refunded");
    stage.settle().await;
    assert_eq!(merchant.stock().await, (999, 0), "like new, it is back on the shelf");
    let timeline = merchant.timeline(&order).await;
    for expected in [
        "returns.return_requested",
        "returns.return_picked_up",
        "returns.return_received",
        "returns.return_completed",
    ] {
        assert!(timeline.iter().any(|line| line == expected), "{expected} is not in {timeline:#?}");
    }
    let again = counter.request(&Counter::wanted(&order, "drop_off")).await;
    counter.settle(&again).await;
    let told = merchant.until_status(&order, "returned").await;
    assert_eq!(told["payment_status"], "refunded");
    let page = asked["tracking_path"].as_str().expect("the buyer's page");
    let shown = stage.anyone().get(page).await.expect(200).json();
    assert_eq!(shown["status"], "closed");
}

async fn sent_with_a_label_and_exchanged(stage: &Stage, cast: Cast) {
    let (order, counter) = delivered(stage, &cast).await;
    let Cast { merchant, fleet, .. } = &cast;
    let mut wanted = Counter::wanted(&order, "label");
    wanted["kind"] = json!("exchange");
    wanted["resolution"] = json!("exchange");
    wanted["exchange"] = json!([{"product_id": merchant.product, "quantity": 1}]);
    let asked = counter.request(&wanted).await;
    let labelled = counter.until_status(&asked, "label_issued").await;
    let path =
        format!("/api/v1/shipments/{}", labelled["booking"]["shipment_id"].as_str().expect("a shipment"));
    let shipment = fleet.dispatcher.client.get(&path).await.expect(200).json();
    fleet.scan(&shipment, &json!({"kind": "arrived", "place": "Bogotá"})).await;
    counter.until_status(&asked, "picked_up").await;
    fleet.deliver(&shipment).await;
    counter.until(&asked, "at the warehouse", |of| !of["arrived_at"].is_null()).await;

    counter.process(&asked).await;
    let done = counter.until_status(&asked, "closed").await;
    let replacement = &done["settlement"]["exchange_order_id"];
    assert!(replacement.is_string(), "{done:#}");
    let other =
        merchant.client.get(&format!("/api/v1/orders/{}", replacement.as_str().expect("an order"))).await;
    let other = other.expect(200).json();
    assert_eq!(
        (&other["payment_status"], &other["consignee"]["name"]),
        (&json!("paid"), &json!("Luz Marín"))
    );
    merchant.until_status(&other, "processing").await;
    merchant.until_status(&order, "partially_returned").await;
}

/// The buyer changes their mind while the driver starts: one of them wins, and both sides agree which.
async fn cancelled_while_the_driver_starts(stage: &Stage, cast: Cast) {
    let (order, counter) = delivered(stage, &cast).await;
    // Two pieces were delivered: whichever way the races end, both can be tried.
    for number in 0..2_u64 {
        let asked = counter.request(&Counter::wanted(&order, "pickup")).await;
        let pickup = counter.pickup_of(&asked).await;
        counter.until_status(&asked, "pickup_scheduled").await;
        cast.fleet.assign(&pickup).await;
        let start = async {
            tokio::time::sleep(std::time::Duration::from_millis(number * 40)).await;
            let path = format!("/api/v1/pickups/{}/start", id(&pickup));
            cast.fleet.driver.client.post(&path, &json!({})).await
        };
        let path = format!("/api/v1/returns/{}/cancel", id(&asked));
        let kept = json!({"reason": "kept"});
        let cancel = cast.merchant.client.post(&path, &kept);
        let (started, cancelled) = tokio::join!(start, cancel);
        cancelled.expect(200);
        if started.status() == 409 {
            counter.until_status(&asked, "cancelled").await;
            continue;
        }
        started.expect(200);
        counter.until(&asked, "going on", |of| of["ending"].is_null()).await;
        cast.fleet.step(&pickup, "complete", &hand_over()).await;
        counter.until_status(&asked, "picked_up").await;
        counter.settle(&asked).await;
    }
}

/// Neither before it is cancelled nor after.
async fn nothing_comes_back_of_what_was_not_delivered(stage: &Stage, cast: Cast) {
    let merchant = &cast.merchant;
    let order = merchant.place(&merchant.order()).await;
    let wanted = Counter::wanted(&order, "drop_off");
    merchant.client.post("/api/v1/returns", &wanted).await.expect_problem(409, "NOT_DELIVERED");
    merchant.cancel(&order).await;
    merchant.until_status(&order, "cancelled").await;
    stage.settle().await;
    merchant.client.post("/api/v1/returns", &wanted).await.expect_problem(409, "NOT_DELIVERED");
    assert_eq!(merchant.stock().await, (1_000, 0), "all of it is on the shelf, and free");
}
