use quenty_contracts::order::{OrderPaid, WarehouseUpdated};
use quenty_kernel::id::{CompanyId, OrderId, WarehouseId};
use quenty_platform::token::Realm;
use serde_json::{Value, json};

use crate::support::{Delivered, World, cop, days, wanted};

#[tokio::test]
async fn what_the_rules_allow_is_approved_at_once_and_names_its_rule() {
    let world = World::new().await;
    let of = world.delivered(2, "80000.00", None).await;
    let asked = world.request(&of, 1, "wrong_item", json!({})).await;
    assert_eq!((&asked["status"], &asked["approval"]["rule"]), (&json!("approved"), &json!("WRONG_ITEM")));
    assert_eq!(asked["approval"]["expires_at"], "2026-06-04T14:00:00Z");
    assert_eq!(
        asked["expected"]["refund"],
        json!({"amount": "84500.00", "currency": "COP"}),
        "half of the shipping"
    );
    assert_eq!(world.told(&asked).await, ["requested", "approved"]);
    // The warehouse moves: what comes back later goes where it is then.
    let warehouse: WarehouseId = asked["warehouse_id"].as_str().unwrap().parse().unwrap();
    let there = json!({"line1": "Calle 80 # 69-70", "city": "Bogotá", "country": "CO"});
    let moved: WarehouseUpdated = serde_json::from_value(
        json!({"warehouse_id": warehouse, "name": "Norte", "address": there, "is_default": true}),
    )
    .unwrap();
    world.app.hear(warehouse, Some(world.company), 2, &moved).await;
    let later = world.request(&of, 1, "wrong_item", json!({})).await;
    assert_eq!(later["destination"], json!({"name": "Tienda Luz", "address": there}));
    assert_ne!(asked["destination"]["address"], there);
    world.assert_sound().await;
}

#[tokio::test]
async fn what_speaks_against_it_waits_for_a_person_with_its_reasons() {
    let world = World::new().await;
    let of = world.delivered(2, "2500000.00", Some("Electrónica")).await;
    let asked = world.request(&of, 1, "changed_mind", json!({"packaging_intact": false})).await;
    let rules: Vec<&Value> =
        asked["findings"].as_array().unwrap().iter().map(|finding| &finding["rule"]).collect();
    assert_eq!(rules, ["CHANGED_MIND_ABOVE_LIMIT", "PACKAGING_MISSING", "ELECTRONICS_ABOVE_LIMIT"]);
    assert_eq!(asked["status"], "requested");
    let approved = world
        .step(&world.finance, &asked, "approve", &json!({"note": "a good customer"}))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&approved["approval"]["rule"], &approved["approval"]["detail"]),
        (&json!("BY_HAND"), &json!("a good customer"))
    );
    world.step(&world.finance, &asked, "approve", &json!({})).await.expect_problem(409, "ILLEGAL_TRANSITION");
}

#[tokio::test]
async fn a_check_says_what_a_request_would_say_and_asks_for_nothing() {
    let world = World::new().await;
    let of = world.delivered(2, "100000.00", None).await;
    let lines = json!([{"line": 1, "quantity": 2, "reason": "size"}]);
    let body = json!({"order_id": of.order, "resolution": "refund", "lines": lines});
    let checked = world.post(&world.merchant, "/api/v1/returns/check", &body).await.expect(200).json();
    assert_eq!(
        (&checked["approved"], &checked["findings"][0]["rule"]),
        (&json!(true), &json!("SIZE_WITHIN_WINDOW"))
    );
    assert_eq!(checked["expected"]["fee"]["amount"], "10000.00", "5 % of the goods");
    assert_eq!(checked["expected"]["refund"]["amount"], "190000.00");
    assert_eq!(world.get("/api/v1/returns").await["items"], json!([]));
    world.app.advance_to(days(31));
    let checked = world.post(&world.merchant, "/api/v1/returns/check", &body).await.expect(200).json();
    assert_eq!(
        (&checked["approved"], &checked["findings"][0]["rule"]),
        (&json!(false), &json!("OUTSIDE_WINDOW"))
    );
}

#[tokio::test]
async fn never_more_comes_back_than_was_delivered() {
    let world = World::new().await;
    let of = world.delivered(3, "50000.00", None).await;
    let first = world.request(&of, 2, "size", json!({})).await;
    let problem = world.try_request(&wanted(&of, 2, "size", json!({}))).await;
    assert_eq!(problem.expect_problem(409, "NOT_SO_MANY_LEFT").json()["left"], 1);
    world.step(&world.merchant, &first, "cancel", &json!({"reason": "kept"})).await.expect(200);
    world.request(&of, 3, "size", json!({})).await;
    world.try_request(&wanted(&of, 1, "size", json!({}))).await.expect_problem(409, "NOT_SO_MANY_LEFT");
    world.assert_sound().await;
}

#[tokio::test]
async fn what_was_not_delivered_or_is_another_companys_cannot_come_back() {
    let world = World::new().await;
    let of = world.delivered(1, "50000.00", None).await;
    let unknown = Delivered { order: OrderId::new(), ..world.delivered(1, "1.00", None).await };
    world.try_request(&wanted(&unknown, 1, "size", json!({}))).await.expect_problem(409, "NOT_DELIVERED");
    let other = world.app.token(Realm::Company, Some(CompanyId::new()), &["returns:*"]);
    world
        .post(&other, "/api/v1/returns", &wanted(&of, 1, "size", json!({})))
        .await
        .expect_problem(409, "NOT_DELIVERED");
}

#[tokio::test]
async fn impossible_wishes_are_refused_and_say_where() {
    let world = World::new().await;
    let of = world.delivered(1, "50000.00", None).await;
    let address = json!({"line1": "Calle 1", "city": "Cali", "country": "CO"});
    let buyer = json!({"name": "Eva", "email": ".eva@example.com", "address": address});
    for (change, pointer) in [
        (json!({"lines": []}), "/lines"),
        (json!({"lines": [{"line": 9, "quantity": 1, "reason": "size"}]}), "/lines"),
        (json!({"lines": [{"line": 1, "quantity": 0, "reason": "size"}]}), "/lines/0/quantity"),
        (json!({"resolution": "exchange"}), "/resolution"),
        (json!({"kind": "exchange", "resolution": "exchange"}), "/exchange"),
        (json!({"kind": "warranty"}), "/lines"),
        (json!({"pickup_slot": "08:00"}), "/pickup_date"),
        (json!({"way_back": "pickup", "pickup_slot": "8:00"}), "/pickup_slot"),
        (json!({"buyer": buyer}), "/buyer/email"),
    ] {
        let problem = world.try_request(&wanted(&of, 1, "size", change.clone())).await.expect(422).json();
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{change}");
    }
    assert_eq!(world.get("/api/v1/returns").await["items"], json!([]));
}

#[tokio::test]
async fn a_rejection_is_disputed_and_decided_again() {
    let world = World::new().await;
    let of = world.delivered(1, "50000.00", None).await;
    let asked = world.request(&of, 1, "other", json!({})).await;
    let rejected =
        world.step(&world.finance, &asked, "reject", &json!({"reason": "worn"})).await.expect(200).json();
    assert_eq!((&rejected["status"], &rejected["rejection"]), (&json!("rejected"), &json!("worn")));
    let other = world.request(&of, 1, "size", json!({})).await;
    world
        .step(&world.merchant, &asked, "dispute", &json!({"reason": "it was new"}))
        .await
        .expect_problem(409, "NOT_SO_MANY_LEFT");
    world.step(&world.merchant, &other, "cancel", &json!({"reason": "kept"})).await.expect(200);
    let disputed = world
        .step(&world.merchant, &asked, "dispute", &json!({"reason": "it was new"}))
        .await
        .expect(200)
        .json();
    assert_eq!((&disputed["status"], &disputed["dispute"]["of"]), (&json!("disputed"), &json!("rejection")));
    let approved = world.step(&world.finance, &asked, "approve", &json!({})).await.expect(200).json();
    assert_eq!((&approved["status"], &approved["rejection"]), (&json!("approved"), &json!(null)));
    world.assert_sound().await;
}

#[tokio::test]
async fn a_customer_who_sends_everything_back_is_looked_at_by_a_person() {
    let world = World::new().await;
    let first = world.delivered(1, "50000.00", None).await;
    for _ in 0..3 {
        let of = Delivered { order: OrderId::new(), product: first.product, customer: first.customer };
        world.deliver(&of, 1, "50000.00", None).await;
        world.request(&of, 1, "size", json!({})).await;
    }
    let asked = world.request(&first, 1, "size", json!({})).await;
    assert_eq!(
        (&asked["status"], &asked["findings"][0]["rule"]),
        (&json!("requested"), &json!("RETURN_SCORE"))
    );
}

#[tokio::test]
async fn cash_that_is_taken_at_the_door_can_be_paid_back() {
    let world = World::new().await;
    let of = world.delivered(1, "50000.00", None).await;
    sqlx::query("update delivered_orders set paid = 0").execute(world.app.app.db()).await.unwrap();
    let unpaid = world.request(&of, 1, "wrong_item", json!({})).await;
    assert_eq!(unpaid["expected"]["refund"]["amount"], "0.00", "nothing was paid");
    let paid = OrderPaid {
        order_id: of.order,
        amount: cop("59000.00"),
        reference: None,
        payment_status: "paid".to_owned(),
    };
    world.app.hear(of.order, Some(world.company), 2, &paid).await;
    let done = world.bring_back(&unpaid, 1).await;
    assert_eq!(done["amounts"]["refund"]["amount"], "59000.00");
}

#[tokio::test]
async fn the_same_request_sent_again_is_one_return() {
    let world = World::new().await;
    let of = world.delivered(2, "50000.00", None).await;
    let send = async || {
        let call = world.app.post("/api/v1/returns").token(&world.merchant).idempotency_key("once");
        call.json(&wanted(&of, 1, "size", json!({}))).send().await.expect(201).json()["id"].clone()
    };
    assert_eq!(send().await, send().await);
    assert_eq!(world.get("/api/v1/returns").await["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_return_is_shown_as_it_was() {
    let world = World::new().await;
    let of = world.delivered(1, "50000.00", None).await;
    let asked = world.request(&of, 1, "size", json!({})).await;
    world.app.advance_to(days(1));
    world.bring_back(&asked, 1).await;
    world.refund(&asked).await.expect(200);
    let path = format!("/api/v1/returns/{}", asked["id"].as_str().unwrap());
    let was = world.get(&format!("{path}?as_of=2026-05-05T15:00:00Z")).await;
    assert_eq!((&was["status"], &was["units"]), (&json!("approved"), &json!([])));
    let now = world.get(&format!("{path}?as_of=2026-05-07T00:00:00Z")).await;
    assert_eq!(now, world.read(&asked).await, "the facts rebuild the row");
    let facts = world.get(&format!("{path}/events")).await;
    assert_eq!(facts["items"].as_array().unwrap().len(), world.told(&asked).await.len());
}
