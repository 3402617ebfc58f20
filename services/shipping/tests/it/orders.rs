use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{Json, Router, http::StatusCode, routing::get};
use quenty_contracts::{
    order::{OrderCancelled, OrderUpdated, ShipmentRequested},
    pickup::PickupCompleted,
};
use quenty_kernel::{
    currency::Currency,
    id::{OrderId, PickupId},
    money::Money,
};
use quenty_testkit::{eventually, neighbour::serve};
use serde_json::{Value, json};

use crate::fixtures::{Shop, customer, customer_that_says, customer_while, delivered, party, standing};

impl Shop {
    async fn cancel(&self, order: OrderId, version: i64) {
        let cancelled =
            OrderCancelled { order_id: order, shipment_id: None, reason: "changed my mind".to_owned() };
        self.app.hear(order, Some(self.company), version, &cancelled).await;
    }

    async fn update(&self, order: OrderId, version: i64, consignee: Value) {
        let zero = Money::zero(Currency::COP);
        let updated = OrderUpdated {
            order_id: order,
            consignee: serde_json::from_value(consignee).unwrap(),
            lines: Vec::new(),
            totals: quenty_contracts::order::OrderTotals {
                subtotal: zero,
                discount: zero,
                shipping: zero,
                tax: zero,
                total: zero,
            },
            notes: None,
        };
        self.app.hear(order, Some(self.company), version, &updated).await;
    }

    async fn pick_up(&self, order: OrderId) {
        let pickup_id = PickupId::new();
        let completed = PickupCompleted {
            pickup_id,
            company_id: self.company,
            order_id: Some(order),
            return_id: None,
            at: self.app.now(),
            parcel_count: 1,
            weight_grams: None,
            handed_over_by: None,
            position: None,
            parcels_booked: Some(2),
            difference: Some("one is not packed yet".to_owned()),
        };
        self.app.hear(pickup_id, Some(self.company), 1, &completed).await;
    }
}

#[tokio::test]
async fn an_order_is_booked_collected_and_delivered() {
    let shop = Shop::open().await;
    let order = OrderId::new();
    let requested = shop.requested(order, "CO");
    shop.app.hear(order, Some(shop.company), 3, &requested).await;
    // The same request again, as another event, is the same shipment, and told once more.
    shop.app.hear(order, Some(shop.company), 4, &requested).await;
    let shipment = shop.shipment_of(order).await;
    assert_eq!((&shipment["status"], &shipment["reference"]), (&json!("booked"), &json!("PED-7")));
    assert_eq!(shop.get("/shipments").await.json()["items"].as_array().unwrap().len(), 1);

    shop.pick_up(order).await;
    shop.pick_up(order).await;
    assert_eq!(shop.shipment_of(order).await["status"], "picked_up");
    let id = shipment["id"].as_str().unwrap();
    let events = shop.get(&format!("/shipments/{id}")).await.json()["events"].clone();
    assert_eq!(events[1]["detail"], "one is not packed yet", "some parcels are not all of them");
    shop.scan(id, &json!({"kind": "departed"})).await.expect(200);
    // Whoever asks by now has no driver to send.
    shop.app.hear(order, Some(shop.company), 5, &requested).await;
    shop.scan(id, &delivered()).await.expect(200);
    let facts = shop.app.facts(id.parse::<quenty_kernel::id::ShipmentId>().unwrap()).await;
    let kinds: Vec<&str> = facts.iter().map(|fact| fact.kind.split('.').nth(3).unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "created",
            "booking_started",
            "booked",
            "booked",
            "picked_up",
            "departed",
            "booked",
            "departed",
            "out_for_delivery",
            "delivered"
        ]
    );
    let booked = &facts[2].data;
    assert_eq!((&booked["order_id"], &booked["attempt"]), (&json!(order), &json!(1)));
    assert_eq!(booked, &facts[3].data);
    assert_eq!(
        (&booked["picked_up_at"], &facts[6].data["picked_up_at"]),
        (&Value::Null, &facts[4].data["at"]),
        "who asks late hears that nobody has to fetch them"
    );
    // What was delivered is booked no more.
    shop.app.hear(order, Some(shop.company), 6, &requested).await;
    assert_eq!(shop.kinds_of(&shipment).await.last().unwrap(), "delivered");
    shop.app.assert_sound().await;
}

#[tokio::test]
async fn a_request_that_breaks_a_rule_is_rejected_with_its_code() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let order = OrderId::new();
    let mut heavy = shop.requested(order, "CO");
    heavy.parcels = serde_json::from_value(json!([{"weight_grams": 70_001}])).unwrap();
    shop.app.hear(order, Some(shop.company), 3, &heavy).await;
    let shipment = shop.shipment_of(order).await;
    assert_eq!(
        (&shipment["status"], &shipment["ended_code"]),
        (&json!("rejected"), &json!("WEIGHT_ABOVE_LIMIT"))
    );
    shop.app.hear(order, Some(shop.company), 4, &heavy).await;
    let facts = shop.facts_of(&shipment).await;
    assert_eq!(shop.kinds_of(&shipment).await[2..], ["rejected", "rejected"], "who asks again is told again");
    assert_eq!(facts[2].data, facts[3].data);

    // The next attempt is another request.
    let mut lighter = shop.requested(order, "CO");
    lighter.attempt = 2;
    shop.app.hear(order, Some(shop.company), 5, &lighter).await;
    assert_eq!(shop.shipment_of(order).await["status"], "booked");
}

async fn status_of(shop: &Shop, order: OrderId, wanted: &str) -> Value {
    eventually(wanted, || async {
        let shipment = shop.shipment_of(order).await;
        (shipment["status"] == wanted).then_some(shipment)
    })
    .await
}

#[tokio::test]
async fn abroad_customer_is_asked_about_a_company_that_is_not_known() {
    for (may, status) in [(true, "booked"), (false, "rejected")] {
        let shop = Shop::open_with(vec![("customer_url", customer(may, true).await)]).await;
        let order = OrderId::new();
        shop.app.hear(order, Some(shop.company), 3, &shop.requested(order, "MX")).await;
        let shipment = status_of(&shop, order, status).await;
        assert_eq!(shipment["ended_code"], if may { Value::Null } else { json!("KYC_REQUIRED") });
        shop.app.assert_sound().await;
    }
}

#[tokio::test]
async fn a_refusal_heard_earlier_may_be_out_of_date_and_is_asked_again() {
    let shop = Shop::open_with(vec![("customer_url", customer(true, true).await)]).await;
    shop.told(1, false).await;
    let order = OrderId::new();
    shop.app.hear(order, Some(shop.company), 3, &shop.requested(order, "MX")).await;
    status_of(&shop, order, "booked").await;
}

#[tokio::test]
async fn a_booking_waits_while_customer_is_away_and_a_cancellation_still_voids_it() {
    let shop = Shop::open_with(vec![("customer_url", customer(true, false).await)]).await;
    let order = OrderId::new();
    shop.app.hear(order, Some(shop.company), 3, &shop.requested(order, "MX")).await;
    status_of(&shop, order, "booking").await;
    shop.cancel(order, 4).await;
    status_of(&shop, order, "voided").await;
}

async fn asked_in_vain(shop: &Shop) {
    eventually("the task is given up", || async {
        let dead = "update quenty.tasks set status = 'dead' where status = 'ready' and attempts > 0";
        let dead = sqlx::query(dead).execute(shop.app.app.db()).await.unwrap();
        (dead.rows_affected() == 1).then_some(())
    })
    .await;
}

/// A request abroad of which Customer has said nothing: whether it is there, the test decides.
async fn unanswered() -> (Shop, ShipmentRequested, Arc<AtomicBool>) {
    let is_there = Arc::new(AtomicBool::new(false));
    let shop = Shop::open_with(vec![("customer_url", customer_while(true, is_there.clone()).await)]).await;
    let order = OrderId::new();
    let requested = shop.requested(order, "MX");
    shop.app.hear(order, Some(shop.company), 3, &requested).await;
    asked_in_vain(&shop).await;
    (shop, requested, is_there)
}

#[tokio::test]
async fn a_booking_that_waited_is_promised_by_the_day_of_its_answer() {
    let (shop, requested, is_there) = unanswered().await;
    let order = requested.order_id;
    shop.app.advance_to("2026-01-06T12:00:00Z".parse().unwrap());
    is_there.store(true, Ordering::Relaxed);
    shop.app.hear(order, Some(shop.company), 4, &requested).await;
    let shipment = status_of(&shop, order, "booked").await;
    assert_eq!(shipment["promised_at"], "2026-01-15T04:59:59Z", "six business days from Tuesday in Bogotá");
    let id = shipment["id"].as_str().unwrap();
    let label = shop.get(&format!("/shipments/{id}/label")).await.expect(200);
    assert!(label.text().contains("(2026-01-14)"));
    let row = shop.get(&format!("/shipments/{id}")).await.expect(200).json();
    let folded = shop.get(&format!("/shipments/{id}?as_of=2026-01-06T12:00:00Z")).await.expect(200).json();
    assert_eq!(row, folded);
}

#[tokio::test]
async fn nothing_is_promised_for_a_day_before_its_collection() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let order = OrderId::new();
    let mut requested = shop.requested(order, "CO");
    requested.ready_on = Some("2026-01-26".parse().unwrap());
    shop.app.hear(order, Some(shop.company), 3, &requested).await;
    let shipment = shop.shipment_of(order).await;
    assert_eq!(
        shipment["promised_at"], "2026-01-30T04:59:59Z",
        "three business days from that Monday in Bogotá"
    );

    // The driver comes three days later.
    shop.app.advance_to("2026-01-29T12:00:00Z".parse().unwrap());
    shop.pick_up(order).await;
    let promised = json!("2026-02-04T04:59:59Z");
    let collected = shop.facts_of(&shipment).await.pop().unwrap();
    assert_eq!(
        (collected.kind.as_str(), &collected.data["promised_at"]),
        ("quenty.shipping.shipment.picked_up.v1", &promised)
    );
    let id = shipment["id"].as_str().unwrap();
    let label = shop.get(&format!("/shipments/{id}/label")).await.expect(200);
    assert!(label.text().contains("(2026-02-03)"));
    let row = shop.get(&format!("/shipments/{id}")).await.expect(200).json();
    let folded = shop.get(&format!("/shipments/{id}?as_of=2026-01-29T12:00:00Z")).await.expect(200).json();
    assert_eq!((&row, &row["promised_at"]), (&folded, &promised));
    shop.app.assert_sound().await;
}

#[tokio::test]
async fn a_newer_standing_that_was_heard_meanwhile_outweighs_what_customer_answers() {
    let is_there = Arc::new(AtomicBool::new(false));
    let known = is_there.clone();
    let says = move |company| known.load(Ordering::Relaxed).then(|| standing(company, 1, false));
    let shop = Shop::open_with(vec![("customer_url", customer_that_says(says).await)]).await;
    let order = OrderId::new();
    let requested = shop.requested(order, "MX");
    shop.app.hear(order, Some(shop.company), 3, &requested).await;
    asked_in_vain(&shop).await;
    shop.told(2, true).await;
    is_there.store(true, Ordering::Relaxed);
    shop.app.hear(order, Some(shop.company), 4, &requested).await;
    status_of(&shop, order, "booked").await;
}

fn problem() -> Value {
    json!({"type": "about:blank", "title": "Not found", "status": 404, "code": "NOT_FOUND", "detail": "no such company"})
}

#[tokio::test]
async fn abroad_a_booking_of_a_company_that_customer_does_not_know_is_rejected() {
    let unknown = || async { (StatusCode::NOT_FOUND, Json(problem())) };
    let customer = serve(Router::new().route("/internal/companies/{id}/standing", get(unknown))).await;
    let shop = Shop::open_with(vec![("customer_url", customer)]).await;
    let order = OrderId::new();
    shop.app.hear(order, Some(shop.company), 3, &shop.requested(order, "MX")).await;
    let shipment = status_of(&shop, order, "rejected").await;
    assert_eq!(shipment["ended_code"], "COMPANY_NOT_ACTIVE");
    shop.app.assert_sound().await;
}

#[tokio::test]
async fn a_request_that_is_repeated_while_it_is_unanswered_asks_again() {
    let (shop, requested, is_there) = unanswered().await;
    let order = requested.order_id;
    is_there.store(true, Ordering::Relaxed);
    shop.app.hear(order, Some(shop.company), 4, &requested).await;
    status_of(&shop, order, "booked").await;
    assert_eq!(shop.get("/shipments").await.json()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_shipment_of_an_order_is_voided_with_the_order_only() {
    let shop = Shop::open().await;
    let order = OrderId::new();
    shop.app.hear(order, Some(shop.company), 3, &shop.requested(order, "CO")).await;
    let shipment = shop.shipment_of(order).await;
    shop.post(&format!("/shipments/{}/void", shipment["id"].as_str().unwrap()), &json!({"reason": "mine"}))
        .await
        .expect_problem(409, "SHIPMENT_OF_AN_ORDER");
    assert_eq!(shop.shipment_of(order).await["status"], "booked");
    shop.cancel(order, 4).await;
    status_of(&shop, order, "voided").await;
}

#[tokio::test]
async fn a_consignee_whom_no_label_can_name_is_rejected() {
    let shop = Shop::open().await;
    let order = OrderId::new();
    let mut requested = shop.requested(order, "CO");
    requested.consignee.name = "Иван".parse().unwrap();
    shop.app.hear(order, Some(shop.company), 3, &requested).await;
    let shipment = shop.shipment_of(order).await;
    assert_eq!((&shipment["status"], &shipment["ended_code"]), (&json!("rejected"), &json!("UNPRINTABLE")));
    // What the merchant calls it is no reason: it is shortened, and printed as far as it can be.
    let mut odd = shop.requested(order, "CO");
    (odd.attempt, odd.reference) = (2, Some("Заказ 481 ".repeat(10)));
    shop.app.hear(order, Some(shop.company), 4, &odd).await;
    let id = shop.shipment_of(order).await["id"].as_str().unwrap().to_owned();
    shop.get(&format!("/shipments/{id}/label")).await.expect(200);
}

#[tokio::test]
async fn a_cancelled_order_has_no_shipment_whichever_came_first() {
    let shop = Shop::open().await;
    let (after, before) = (OrderId::new(), OrderId::new());
    shop.app.hear(after, Some(shop.company), 3, &shop.requested(after, "CO")).await;
    shop.cancel(after, 4).await;
    status_of(&shop, after, "voided").await;
    shop.pick_up(after).await;
    assert_eq!(shop.shipment_of(after).await["status"], "voided");

    shop.cancel(before, 4).await;
    shop.app.hear(before, Some(shop.company), 3, &shop.requested(before, "CO")).await;
    status_of(&shop, before, "voided").await;
}

#[tokio::test]
async fn what_was_collected_is_not_voided_and_people_are_told_to_send_it_back() {
    let shop = Shop::open().await;
    let order = OrderId::new();
    shop.app.hear(order, Some(shop.company), 3, &shop.requested(order, "CO")).await;
    let shipment = shop.shipment_of(order).await;
    let id = shipment["id"].as_str().unwrap();
    // The scanner's clock is ahead of ours.
    let report = |kind: &str| json!({"kind": kind, "at": "2026-01-05T12:04:00Z"});
    shop.scan(id, &report("scan")).await.expect(200);
    shop.cancel(order, 4).await;
    assert_eq!(shop.shipment_of(order).await["status"], "exception");
    let told = shop.facts_of(&shipment).await.pop().unwrap();
    assert_eq!(
        (told.kind.as_str(), &told.data["code"]),
        ("quenty.shipping.shipment.exception_raised.v1", &json!("OTHER"))
    );
    let events = shop.get(&format!("/shipments/{id}")).await.json()["events"].clone();
    assert_eq!(events.as_array().unwrap().last().unwrap()["detail"], told.data["detail"]);

    // On its way back, it is told to nobody again.
    shop.scan(id, &report("departed")).await.expect(200);
    shop.cancel(order, 5).await;
    assert_eq!(shop.shipment_of(order).await["status"], "in_transit");
    let kinds = shop.kinds_of(&shipment).await;
    assert_eq!(kinds[3..], ["picked_up", "exception_raised", "exception_resolved", "departed"]);
    shop.app.assert_sound().await;
}

#[tokio::test]
async fn what_has_reached_the_door_is_not_sent_back() {
    let shop = Shop::open().await;
    let order = OrderId::new();
    shop.app.hear(order, Some(shop.company), 3, &shop.requested(order, "CO")).await;
    let shipment = shop.shipment_of(order).await;
    shop.scan(shipment["id"].as_str().unwrap(), &delivered()).await.expect(200);
    shop.cancel(order, 4).await;
    shop.update(order, 5, party("MX")).await;
    assert_eq!(shop.kinds_of(&shipment).await.last().unwrap(), "delivered");
    shop.app.assert_sound().await;
}

#[tokio::test]
async fn the_consignee_is_corrected_until_the_pickup_and_then_by_people() {
    let shop = Shop::open().await;
    let order = OrderId::new();
    let named = |name: &str, country: &str| {
        let mut consignee = party(country);
        consignee["name"] = json!(name);
        consignee
    };
    shop.app.hear(order, Some(shop.company), 3, &shop.requested(order, "CO")).await;
    shop.update(order, 4, named("Beatriz", "CO")).await;
    assert_eq!(shop.shipment_of(order).await["consignee"]["name"], "Beatriz");
    shop.pick_up(order).await;
    shop.update(order, 5, named("Beatriz", "CO")).await;
    assert_eq!(shop.shipment_of(order).await["status"], "picked_up");
    for (version, name, country) in [(6, "Carlos", "CO"), (7, "Carla", "MX")] {
        shop.update(order, version, named(name, country)).await;
    }
    let shipment = shop.shipment_of(order).await;
    assert_eq!(
        (&shipment["status"], &shipment["consignee"]["name"]),
        (&json!("exception"), &json!("Beatriz"))
    );
    // The second one finds people at work, and adds a line.
    let facts = shop.facts_of(&shipment).await;
    let kinds: Vec<&str> = facts.iter().map(|fact| fact.kind.split('.').nth(3).unwrap()).collect();
    assert_eq!(kinds[4..], ["picked_up", "exception_raised", "scanned"]);
    assert_eq!(facts[5].data["code"], "ADDRESS_PROBLEM");
}
