//! An order's ways from the click to the door, and back. Told on both buses; the checker reads what they leave.

use serde_json::{Value, json};

use crate::{
    api_keys::a_shop_places_an_order_with_its_api_key_alone,
    harness::{
        Cast, Merchant, Stage,
        fleet::{delivered, hand_over},
        merchant::{LETICIA, id, items},
    },
};

on_both_buses!(
    door_to_door,
    across_the_border,
    cancelled_before_the_driver_starts,
    cancelled_too_late,
    a_pickup_that_fails_once,
    nobody_collects_there,
    undeliverable_and_back,
    cash_on_delivery,
    a_shop_places_an_order_with_its_api_key_alone,
);

pub(crate) async fn door_to_door(_: &Stage, Cast { merchant, fleet, .. }: Cast) {
    let order = merchant.place(&merchant.order()).await;
    assert_eq!((&order["status"], &order["payment_status"]), (&json!("pending"), &json!("unpaid")));
    assert_eq!(merchant.stock().await, (1_000, 2), "the pieces are set aside");
    merchant.pay(&order).await;
    merchant.until_status(&order, "processing").await;
    fleet.collect(&order).await;
    let shipment = fleet.shipment_of(&order).await;
    let label = merchant.client.get(&format!("/api/v1/shipments/{}/label", id(&shipment))).await.expect(200);
    assert!(label.body.starts_with(b"%PDF-"), "the label is a PDF");
    fleet.deliver(&shipment).await;

    let done = merchant.until_status(&order, "delivered").await;
    assert_eq!(merchant.stock().await, (998, 0), "and gone from the shelf");
    assert_eq!(done["shipment_id"], shipment["id"]);
    let told = merchant.timeline(&order).await;
    for expected in [
        "order.placed",
        "order.paid",
        "order.confirmed",
        "shipping.shipment_booked",
        "pickup.pickup_scheduled",
        "pickup.driver_assigned",
        "pickup.pickup_started",
        "pickup.pickup_arrived",
        "pickup.pickup_completed",
        "order.picked_up",
        "shipping.departed",
        "shipping.out_for_delivery",
        "order.delivered",
    ] {
        assert!(told.iter().any(|line| line == expected), "{expected} is not in {told:#?}");
    }
    let number = done["tracking_number"].as_str().expect("a tracking number");
    let public = merchant.client.get(&format!("/api/v1/tracking/{number}")).await.expect(200);
    assert_eq!(public.json()["status"], "delivered");
    assert!(!public.text().contains("Luz"), "tracking shows no names: {}", public.text());
}

async fn across_the_border(stage: &Stage, Cast { merchant, fleet, support, .. }: Cast) {
    let refused = merchant.client.post("/api/v1/orders", &merchant.order_abroad()).await;
    refused.expect_problem(409, "KYC_REQUIRED");
    merchant.pass_kyc(stage, &support).await;

    let order = merchant.place(&merchant.order_abroad()).await;
    assert_eq!(order["kind"], "international");
    merchant.pay(&order).await;
    fleet.collect(&order).await;
    let shipment = fleet.shipment_of(&order).await;
    assert_eq!(shipment["international"], true);
    fleet.scan(&shipment, &json!({"kind": "departed", "place": "Bogotá"})).await;
    let held = json!({"kind": "customs_hold", "place": "Ciudad de México", "detail": "the invoice is read"});
    assert_eq!(fleet.scan(&shipment, &held).await["status"], "customs_hold");
    merchant.until_status(&order, "exception").await;
    fleet.scan(&shipment, &json!({"kind": "customs_released", "place": "Ciudad de México"})).await;
    merchant.until_status(&order, "in_transit").await;
    fleet.scan(&shipment, &json!({"kind": "out_for_delivery", "place": "Ciudad de México"})).await;
    fleet.scan(&shipment, &delivered(&shipment)).await;
    merchant.until_status(&order, "delivered").await;
}

async fn cancelled_before_the_driver_starts(_: &Stage, Cast { merchant, fleet, .. }: Cast) {
    let order = merchant.place(&merchant.cash_order()).await;
    let pickup = fleet.pickup_of(&order).await;
    fleet.assign(&pickup).await;
    merchant.cancel(&order).await;
    merchant.until_status(&order, "cancelled").await;
    assert_eq!(merchant.stock().await, (1_000, 0), "the pieces are free again");
    let path = format!("/api/v1/pickups/{}/start", id(&pickup));
    fleet.driver.client.post(&path, &json!({})).await.expect_problem(409, "ILLEGAL_TRANSITION");
}

async fn cancelled_too_late(_: &Stage, Cast { merchant, fleet, .. }: Cast) {
    let order = merchant.place(&merchant.cash_order()).await;
    let pickup = fleet.pickup_of(&order).await;
    merchant.until_status(&order, "processing").await;
    fleet.drive_to(&pickup).await;
    merchant.cancel(&order).await;
    merchant.until_status(&order, "processing").await;
    fleet.step(&pickup, "complete", &hand_over()).await;
    let shipment = fleet.shipment_of(&order).await;
    fleet.deliver(&shipment).await;
    merchant.until_status(&order, "delivered").await;
    let told = merchant.timeline(&order).await;
    assert!(told.contains(&"order.cancel_refused".to_owned()), "{told:#?}");
}

async fn a_pickup_that_fails_once(_: &Stage, Cast { merchant, fleet, .. }: Cast) {
    let order = merchant.place(&merchant.cash_order()).await;
    let pickup = fleet.pickup_of(&order).await;
    fleet.drive_to(&pickup).await;
    let failed = fleet.step(&pickup, "fail", &json!({"code": "CLOSED", "detail": "nobody opened"})).await;
    assert_eq!(failed["failed_attempts"].as_array().map(Vec::len), Some(1));
    fleet.collect(&order).await;
    let shipment = fleet.shipment_of(&order).await;
    fleet.deliver(&shipment).await;
    merchant.until_status(&order, "delivered").await;
    let told = merchant.timeline(&order).await;
    assert!(told.contains(&"pickup.pickup_failed".to_owned()), "{told:#?}");
}

async fn nobody_collects_there(stage: &Stage, Cast { support, .. }: Cast) {
    let far = Merchant::open(stage, &support, 100, LETICIA).await;
    let order = far.place(&far.cash_order()).await;
    let held = far.until(&order, "on hold", |order| !order["on_hold"].is_null()).await;
    assert_eq!(held["on_hold"]["code"], "PICKUP_REJECTED");
    assert!(
        held["on_hold"]["reason"].as_str().is_some_and(|reason| reason.contains("NO_SERVICE_AREA")),
        "{held:#}"
    );
    far.cancel(&order).await;
    far.until_status(&order, "cancelled").await;
    assert_eq!(far.stock().await, (1_000, 0));
    stage.settle().await;
    let shipments =
        far.client.get(&format!("/api/v1/shipments?order_id={}", id(&order))).await.expect(200).json();
    assert_eq!(of_all(&shipments, "status"), ["voided"]);
}

async fn undeliverable_and_back(_: &Stage, Cast { merchant, fleet, .. }: Cast) {
    let order = merchant.place(&merchant.cash_order()).await;
    fleet.collect(&order).await;
    let shipment = fleet.shipment_of(&order).await;
    assert_eq!(merchant.until_status(&order, "picked_up").await["payment_status"], "cod_pending");
    assert_eq!(merchant.stock().await, (998, 0));
    fleet.scan(&shipment, &json!({"kind": "departed", "place": "Bogotá hub"})).await;
    fleet.scan(&shipment, &json!({"kind": "out_for_delivery", "place": "Medellín"})).await;
    fleet.scan(&shipment, &json!({"kind": "delivery_failed", "detail": "nobody at home"})).await;
    fleet
        .scan(
            &shipment,
            &json!({"kind": "undeliverable", "code": "ADDRESS_PROBLEM", "detail": "no such house"}),
        )
        .await;
    merchant.until_status(&order, "undeliverable").await;
    fleet.scan(&shipment, &json!({"kind": "returned", "place": "Bogotá"})).await;
    merchant.until_status(&order, "returned_to_sender").await;
    assert_eq!(merchant.stock().await, (1_000, 0), "the pieces are back on the shelf");
}

async fn cash_on_delivery(_: &Stage, Cast { merchant, fleet, .. }: Cast) {
    let order = merchant.place(&merchant.cash_order()).await;
    fleet.collect(&order).await;
    let shipment = fleet.shipment_of(&order).await;
    assert_eq!(shipment["cash_on_delivery"], order["totals"]["total"]);
    let path = format!("/api/v1/shipments/{}/events", id(&shipment));
    let mut too_little = delivered(&shipment);
    too_little["cash_collected"]["amount"] = json!("1.00");
    fleet.driver.client.post(&path, &too_little).await.expect_problem(422, "CASH_MISMATCH");
    fleet.deliver(&shipment).await;
    merchant.until_status(&order, "delivered").await;
    merchant.until(&order, "paid", |order| order["payment_status"] == "paid").await;
}

fn of_all(page: &Value, field: &str) -> Vec<String> {
    items(page).iter().map(|item| item[field].as_str().expect("a text").to_owned()).collect()
}
