use std::sync::atomic::Ordering;

use axum::Router;
use jiff::ToSpan;
use quenty_contracts::customer::{CompanyClosed, Standing};
use quenty_kernel::{
    Failure,
    id::{CompanyId, OrderId},
};
use quenty_platform::{Error, token::Realm};
use quenty_testkit::neighbour::serve;
use serde_json::{Value, json};

use crate::support::{
    NINE, NOWHERE, TODAY, TOMORROW, World, at, contact, customer, express, hold, scheduled, standing,
};

#[tokio::test]
async fn a_pickup_gets_the_slot_that_was_wanted_its_price_and_its_facts() {
    let world = World::new(3).await;
    let pickup = world.book(&scheduled(TOMORROW, "14:00")).await;
    assert_eq!(pickup["status"], "scheduled");
    assert_eq!(pickup["window"], json!({"start": "2026-05-06T19:00:00Z", "end": "2026-05-06T21:00:00Z"}));
    assert_eq!(pickup["cost"]["total"], json!({"amount": "7000.00", "currency": "COP"}));
    assert_eq!(world.told(&pickup).await, ["pickup.requested", "pickup.scheduled"]);
    assert_eq!(world.remaining(TOMORROW, "14:00").await, 2);
    world.assert_sound().await;
}

#[tokio::test]
async fn without_a_wish_the_first_slot_with_room_is_taken() {
    let world = World::new(1).await;
    let body = json!({"kind": "scheduled", "contact": contact(), "parcels": [{"weight_grams": 1}]});
    let mut starts = Vec::new();
    for _ in 0..5 {
        starts.push(world.book(&body).await["window"]["start"].as_str().unwrap().to_owned());
    }
    assert_eq!(
        starts,
        [
            "2026-05-05T15:00:00Z",
            "2026-05-05T17:00:00Z",
            "2026-05-05T19:00:00Z",
            "2026-05-05T21:00:00Z",
            "2026-05-06T13:00:00Z"
        ]
    );
}

#[tokio::test]
async fn on_demand_comes_within_two_hours_and_express_within_one() {
    let world = World::new(9).await;
    let mut body = express();
    assert_eq!(world.book(&body).await["guaranteed_until"], "2026-05-05T15:00:00Z");
    body["kind"] = json!("on_demand");
    let pickup = world.book(&body).await;
    assert_eq!(pickup["window"], json!({"start": NINE, "end": "2026-05-05T16:00:00Z"}));
    assert_eq!(pickup["guaranteed_until"], json!(null));
}

#[tokio::test]
async fn what_cannot_be_booked_says_why_and_leaves_nothing() {
    let world = World::new(1).await;
    let mut elsewhere = scheduled(TOMORROW, "10:00");
    elsewhere["contact"]["address"]["postal_code"] = json!("760001");
    for (body, code) in [
        (elsewhere, "NO_SERVICE_AREA"),
        (scheduled(TOMORROW, "10:30"), "NO_CAPACITY"),
        (scheduled("2026-05-04", "10:00"), "NO_CAPACITY"),
        (scheduled(TODAY, "08:00"), "NO_CAPACITY"),
        (scheduled("2027-05-05", "10:00"), "NO_CAPACITY"),
    ] {
        world.post(&world.merchant, "/api/v1/pickups", &body).await.expect_problem(409, code);
    }
    let listed = world.get(&world.merchant, "/api/v1/pickups").await.expect(200).json();
    assert_eq!(listed["items"], json!([]));
    world.assert_sound().await;
}

#[tokio::test]
async fn another_company_sees_and_moves_nothing() {
    let world = World::new(3).await;
    let pickup = world.book(&scheduled(TOMORROW, "10:00")).await;
    let stranger = world.app.token(Realm::Company, Some(CompanyId::new()), &["pickups:*"]);
    let path = format!("/api/v1/pickups/{}", pickup["id"].as_str().unwrap());
    world.get(&stranger, &path).await.expect_problem(404, "NOT_FOUND");
    world.get(&stranger, &format!("{path}/live")).await.expect_problem(404, "NOT_FOUND");
    world
        .step(&stranger, &pickup, "cancel", &json!({"reason": "mine now"}))
        .await
        .expect_problem(404, "NOT_FOUND");
    world.step(&stranger, &pickup, "reschedule", &json!({})).await.expect_problem(404, "NOT_FOUND");
    assert_eq!(world.get(&stranger, "/api/v1/pickups").await.json()["items"], json!([]));
    // A driver's steps are not for merchants, not even on their own pickup.
    for verb in ["start", "arrive"] {
        world.step(&world.merchant, &pickup, verb, &json!({})).await.expect_problem(403, "STAFF_ONLY");
    }
}

#[tokio::test]
async fn a_list_is_narrowed_by_day_status_and_driver() {
    let world = World::new(3).await;
    let (first, _) = world.in_progress(&scheduled(TODAY, "10:00")).await;
    world.book(&scheduled("2026-05-07", "10:00")).await;
    let count = async |query: &str| {
        let page = world.get(&world.merchant, &format!("/api/v1/pickups?{query}")).await.expect(200).json();
        page["items"].as_array().unwrap().len()
    };
    assert_eq!(count("").await, 2);
    assert_eq!(count("date=2026-05-07").await, 1);
    assert_eq!(count("status=in_progress").await, 1);
    assert_eq!(count(&format!("driver_id={}", first["driver_id"].as_str().unwrap())).await, 1);
    assert_eq!(count("status=cancelled").await, 0);
    // Its window ends at noon.
    world.app.advance_to(at(NINE) + 3.hours());
    assert_eq!(count("overdue=true").await, 0);
    world.app.advance_to(at(NINE) + 181.minutes());
    assert_eq!((count("overdue=true").await, count("overdue=false").await), (1, 2));
    world.get(&world.merchant, "/api/v1/pickups?status=lost").await.expect_problem(422, "INVALID_QUERY");
}

#[tokio::test]
async fn a_merchant_reschedules_twice_and_the_old_place_is_free_again() {
    let world = World::new(1).await;
    let pickup = world.book(&scheduled(TOMORROW, "10:00")).await;
    let later = json!({"date": TOMORROW, "slot": "14:00"});
    let moved = world.step(&world.merchant, &pickup, "reschedule", &later).await.expect(200).json();
    assert_eq!(moved["window"]["start"], "2026-05-06T19:00:00Z");
    assert_eq!((world.remaining(TOMORROW, "10:00").await, world.remaining(TOMORROW, "14:00").await), (1, 0));
    // Back to an earlier one, also a slot that only it occupies.
    world
        .step(&world.merchant, &pickup, "reschedule", &json!({"date": TOMORROW, "slot": "08:00"}))
        .await
        .expect(200);
    world.step(&world.merchant, &pickup, "reschedule", &later).await.expect_problem(409, "RESCHEDULE_LIMIT");
    world.step(&world.dispatcher, &pickup, "reschedule", &later).await.expect(200);
    world.assert_sound().await;
}

#[tokio::test]
async fn an_express_pickup_that_its_merchant_moves_costs_what_a_scheduled_one_does() {
    let world = World::new(3).await;
    let pickup = world.book(&express()).await;
    assert_eq!(pickup["cost"]["total"]["amount"], "16000.00");
    let later = json!({"date": TOMORROW, "slot": "14:00"});
    let moved = world.step(&world.dispatcher, &pickup, "reschedule", &later).await.expect(200).json();
    assert_eq!(moved["cost"], pickup["cost"], "that was not the merchant's wish");
    let moved = world.step(&world.merchant, &pickup, "reschedule", &later).await.expect(200).json();
    assert_eq!(moved["cost"]["total"]["amount"], "7000.00");
    let path = format!("/api/v1/pickups/{}", pickup["id"].as_str().unwrap());
    assert_eq!(world.get(&world.merchant, &path).await.expect(200).json(), moved);
    let folded = world.get(&world.merchant, &format!("{path}?as_of={}", world.app.now())).await;
    assert_eq!(folded.expect(200).json(), moved);
    world.assert_sound().await;
}

#[tokio::test]
async fn nobody_comes_for_what_a_closed_company_booked_itself() {
    let world = World::new(3).await;
    let order = OrderId::new();
    world.app.hear(order, Some(world.company), 1, &world.request(order, 1, "scheduled")).await;
    let own = world.book(&scheduled(TOMORROW, "10:00")).await;
    let (begun, _) = world.in_progress(&scheduled(TODAY, "10:00")).await;
    let closed = Standing { status: "closed".to_owned(), ..standing(world.company, 2, false) };
    let told =
        CompanyClosed { company_id: world.company, reason: "no more goods".to_owned(), standing: closed };
    world.app.hear(world.company, Some(world.company), 2, &told).await;
    let status = async |pickup: &Value| {
        let path = format!("/api/v1/pickups/{}", pickup["id"].as_str().unwrap());
        world.get(&world.dispatcher, &path).await.expect(200).json()["status"].clone()
    };
    assert_eq!((status(&own).await, status(&begun).await), (json!("cancelled"), json!("in_progress")));
    assert_eq!(world.pickups_of(order).await[0]["status"], "scheduled", "that is Order's to end");
    assert_eq!(world.remaining(TOMORROW, "10:00").await, 3);
    world.assert_sound().await;
}

#[tokio::test]
async fn somebody_else_hands_over_until_the_driver_is_on_the_way() {
    let world = World::new(3).await;
    let pickup = world.book(&scheduled(TODAY, "10:00")).await;
    let path = format!("/api/v1/pickups/{}", pickup["id"].as_str().unwrap());
    let patch = |body| world.app.patch(&path).token(&world.merchant).json(&body);
    let change = json!({"name": "Luz Marín", "phone": null});
    patch(change.clone()).header("if-match", "\"1\"").send().await.expect_problem(412, "VERSION_MISMATCH");
    let changed = patch(change.clone()).send().await.expect(200).json();
    assert_eq!(
        (&changed["contact"]["name"], &changed["contact"]["phone"]),
        (&json!("Luz Marín"), &json!(null))
    );
    assert_eq!(changed["contact"]["address"], pickup["contact"]["address"]);
    assert_eq!(world.get(&world.merchant, &path).await.expect(200).json(), changed);
    let folded = world.get(&world.merchant, &format!("{path}?as_of={}", world.app.now())).await;
    assert_eq!(folded.expect(200).json(), changed);
    patch(json!({"address": contact()["address"]})).send().await.expect_problem(422, "INVALID_BODY");

    let (driver, token) = world.driver().await;
    world.step(&world.dispatcher, &pickup, "assign", &json!({"driver_id": driver["id"]})).await.expect(200);
    world.step(&token, &pickup, "start", &json!({})).await.expect(200);
    patch(change).send().await.expect_problem(409, "PICKUP_CLOSED");
    world.assert_sound().await;
}

#[tokio::test]
async fn a_pickup_is_shown_as_it_was() {
    let world = World::new(3).await;
    let pickup = world.book(&scheduled(TOMORROW, "10:00")).await;
    world.app.advance_to(at("2026-05-05T16:00:00Z"));
    world.step(&world.merchant, &pickup, "cancel", &json!({"reason": "no longer needed"})).await.expect(200);
    let path = format!("/api/v1/pickups/{}", pickup["id"].as_str().unwrap());
    let status = async |as_of: &str| world.get(&world.merchant, &format!("{path}?as_of={as_of}")).await;
    let was = status("2026-05-05T15:00:00Z").await.expect(200);
    assert_eq!((was.json(), was.header("etag")), (pickup, None), "there is no If-Match for the past");
    let now = world.get(&world.merchant, &path).await.expect(200);
    assert!(now.header("etag").is_some());
    let now = now.json();
    assert_eq!((&now["status"], &now["reason"]), (&json!("cancelled"), &json!("no longer needed")));
    assert_eq!(status("2026-05-05T16:00:00Z").await.expect(200).json(), now);
    status("2026-05-05T13:00:00Z").await.expect_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_repeated_booking_with_its_key_is_one_pickup() {
    let world = World::new(3).await;
    let body = scheduled(TOMORROW, "10:00");
    let send = async || {
        world
            .app
            .post("/api/v1/pickups")
            .token(&world.merchant)
            .idempotency_key("k-1")
            .json(&body)
            .send()
            .await
    };
    let (first, again) = (send().await.expect(201), send().await.expect(201));
    assert_eq!(first.json()["id"], again.json()["id"]);
    assert_eq!(world.remaining(TOMORROW, "10:00").await, 2);
}

#[tokio::test]
async fn only_a_company_that_may_order_takes_places() {
    let world = World::of_stranger(3, NOWHERE.to_owned()).await;
    let try_both = async |status: u16, code: &str| {
        for (path, body) in [
            ("/api/v1/pickups", scheduled(TOMORROW, "10:00")),
            ("/api/v1/pickups/holds", hold(TOMORROW, "10:00")),
        ] {
            let answer = world.post(&world.merchant, path, &body).await;
            let told = (answer.status(), answer.code());
            assert_eq!(told, (status, code.to_owned()), "{path}: {}", answer.text());
        }
    };
    try_both(503, "DEPENDENCY_UNAVAILABLE").await;
    world.hear_standing(world.company, 1, false).await;
    try_both(409, "COMPANY_NOT_ACTIVE").await;
    assert_eq!(world.remaining(TOMORROW, "10:00").await, 3);
    // What Order asks for, it has judged.
    let order = OrderId::new();
    world.app.hear(order, Some(world.company), 1, &world.request(order, 1, "scheduled")).await;
    assert_eq!(world.pickups_of(order).await[0]["status"], "scheduled");

    world.hear_standing(world.company, 3, true).await;
    // Heard late, said before.
    world.hear_standing(world.company, 2, false).await;
    try_both(201, "").await;
    world.assert_sound().await;
}

#[tokio::test]
async fn customer_is_asked_once_about_a_company_that_is_not_known() {
    let (url, asked) = customer(true).await;
    let world = World::of_stranger(3, url).await;
    for _ in 0..2 {
        world.book(&scheduled(TOMORROW, "10:00")).await;
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_company_that_customer_does_not_know_takes_no_places() {
    let customer = Router::new().fallback(async || Error::from(Failure::not_found("company")));
    // Whoever else stands at its address says nothing of companies.
    let another = Router::new();
    for (router, status, code) in
        [(customer, 409, "COMPANY_NOT_ACTIVE"), (another, 503, "DEPENDENCY_UNAVAILABLE")]
    {
        let world = World::of_stranger(3, serve(router).await).await;
        let answer = world.post(&world.merchant, "/api/v1/pickups", &scheduled(TOMORROW, "10:00")).await;
        answer.expect_problem(status, code);
        assert_eq!(world.remaining(TOMORROW, "10:00").await, 3);
    }
}

#[tokio::test]
async fn a_refusal_heard_earlier_may_be_out_of_date_and_is_asked_again() {
    for (may_order, status, code) in [(true, 201, ""), (false, 409, "COMPANY_NOT_ACTIVE")] {
        let (url, _) = customer(may_order).await;
        let world = World::of_stranger(3, url).await;
        world.hear_standing(world.company, 1, false).await;
        let answer = world.post(&world.merchant, "/api/v1/pickups", &scheduled(TOMORROW, "10:00")).await;
        assert_eq!((answer.status(), answer.code().as_str()), (status, code), "{}", answer.text());
    }
}
