//! Deadlines, in simulated business time: what nobody does in time waits for a person, with the reason.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::harness::{Cast, Merchant, Person, Stage, Up};

const CLOCK: &str = "/api/v1/simulation/clock";

async fn now(admin: &Person) -> Timestamp {
    let told = admin.client.get(CLOCK).await.expect(200).json();
    told["now"].as_str().expect("a time").parse().expect("a time")
}

/// Moves business time on; the platform has come to rest there when this returns.
async fn pass(admin: &Person, hours: i64) {
    let to = now(admin).await + SignedDuration::from_hours(hours);
    admin.client.post(CLOCK, &json!({"to": to})).await.expect(200);
    assert_eq!(now(admin).await, to, "and there it stands still");
}

fn hold(order: &Value) -> &Value {
    &order["on_hold"]["code"]
}

#[tokio::test]
async fn what_nobody_does_in_time_waits_for_a_person() {
    let up = Up::ephemeral(&["--simulated-clock", "40d"]).await;
    let Cast { merchant, fleet, .. } = Cast::enter(&up.stage).await;
    let admin = Person::administrator(&up.stage).await;
    only_operators_move_the_clock(&merchant).await;

    let unpaid = merchant.place(&merchant.order()).await;
    let forgotten = merchant.place(&merchant.cash_order()).await;
    fleet.pickup_of(&forgotten).await;
    let late = merchant.place(&merchant.cash_order()).await;
    fleet.collect(&late).await;
    fleet.shipment_of(&late).await;
    pass(&admin, 23).await;
    for order in [&unpaid, &forgotten, &late] {
        merchant.until(order, "not on hold yet", |order| hold(order).is_null()).await;
    }
    pass(&admin, 24).await;
    merchant.until(&unpaid, "held for its payment", |order| hold(order) == "PAYMENT_MISSING").await;
    merchant.until(&forgotten, "held for its pickup", |order| hold(order) == "PICKUP_OVERDUE").await;
    pass(&admin, 24 * 14).await;
    merchant.until(&late, "held for its delivery", |order| hold(order) == "DELIVERY_OVERDUE").await;

    for order in [&unpaid, &forgotten] {
        merchant.cancel(order).await;
        merchant.until_status(order, "cancelled").await;
    }
    assert_eq!(merchant.stock().await, (998, 0));
    up.stage.assert_sound().await;
    up.stop().await;
}

async fn only_operators_move_the_clock(merchant: &Merchant) {
    let moved = merchant.client.post(CLOCK, &json!({"to": "2030-01-01T00:00:00Z"})).await;
    moved.expect_problem(403, "NOT_PERMITTED");
}

pub(crate) async fn only_a_simulation_has_a_clock(stage: &Stage) {
    let admin = Person::administrator(stage).await;
    admin.client.get(CLOCK).await.expect_problem(404, "NO_SUCH_ROUTE");
}
