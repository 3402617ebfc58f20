use jiff::ToSpan;
use serde_json::json;

use crate::support::{NINE, TODAY, TOMORROW, World, at, bogota, scheduled};

#[tokio::test]
async fn a_day_shows_its_slots_with_free_places_and_the_fee() {
    let world = World::new(2).await;
    world.book(&scheduled(TODAY, "10:00")).await;
    let path = format!("/api/v1/pickups/availability?date={TODAY}&country=CO&postal_code=110221");
    let day = world.get(&world.merchant, &path).await.expect(200).json();
    let slots: Vec<_> = day["slots"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| (s["slot"].as_str().unwrap(), s["remaining"].as_i64().unwrap()))
        .collect();
    // It is nine: the slot from eight has begun.
    assert_eq!(slots, [("10:00", 1), ("12:00", 2), ("14:00", 2), ("16:00", 2)]);
    assert_eq!(day["slots"][0]["fee"], json!({"amount": "7000.00", "currency": "COP"}));
    assert_eq!(day["slots"][0]["start"], "2026-05-05T15:00:00Z");
    // Who comes at once needs no slot that begins: the window is the one that a booking gets, in whichever slot has room.
    let express = world.get(&world.merchant, &format!("{path}&type=express")).await.expect(200).json();
    assert_eq!(
        express["slots"],
        json!([{"slot": null, "start": NINE, "end": "2026-05-05T15:00:00Z", "remaining": 2,
            "fee": {"amount": "16000.00", "currency": "COP"}}])
    );
    let tomorrow = format!("/api/v1/pickups/availability?date={TOMORROW}&country=CO&postal_code=110221");
    let at_once = world.get(&world.merchant, &format!("{tomorrow}&type=express")).await.expect(200).json();
    assert_eq!(at_once["slots"], json!([]));
    let in_two_hours = world.get(&world.merchant, &format!("{path}&type=on_demand")).await.expect(200).json();
    assert_eq!(
        (in_two_hours["slots"].as_array().unwrap().len(), &in_two_hours["slots"][0]["remaining"]),
        (1, &json!(2))
    );
    world
        .get(&world.merchant, "/api/v1/pickups/availability?date=2026-05-05&country=MX&postal_code=1")
        .await
        .expect_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_quote_prices_every_line_and_books_nothing() {
    let world = World::new(1).await;
    let body = json!({
        "kind": "scheduled", "place": {"country": "CO", "postal_code": "110221"}, "parcels": [{"weight_grams": 6001}],
        "insured_value": {"amount": "250000.00", "currency": "COP"}, "packaging": true,
    });
    let quote = world.post(&world.merchant, "/api/v1/pickups/quote", &body).await.expect(200).json();
    let lines: Vec<_> = quote["cost"]["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| format!("{} {}", i["code"].as_str().unwrap(), i["amount"]["amount"].as_str().unwrap()))
        .collect();
    assert_eq!(
        lines,
        ["base 6000.00", "weight 1800.00", "zone 1000.00", "packaging 3500.00", "insurance 2500.00"]
    );
    assert_eq!(quote["cost"]["total"]["amount"], "14800.00");
    assert_eq!(quote["window"]["start"], "2026-05-05T15:00:00Z");
    assert_eq!(world.remaining(TODAY, "10:00").await, 1);
    let mut dollars = body;
    dollars["insured_value"]["currency"] = json!("USD");
    world
        .post(&world.merchant, "/api/v1/pickups/quote", &dollars)
        .await
        .expect_problem(422, "INSURANCE_UNAVAILABLE");
}

#[tokio::test]
async fn a_hold_keeps_its_place_for_ten_minutes_and_becomes_a_pickup() {
    let world = World::new(1).await;
    let body =
        json!({"place": {"country": "CO", "postal_code": "110221"}, "date": TOMORROW, "slot": "10:00"});
    let held = world.post(&world.merchant, "/api/v1/pickups/holds", &body).await.expect(201).json();
    assert_eq!(world.remaining(TOMORROW, "10:00").await, 0);
    world.post(&world.merchant, "/api/v1/pickups/holds", &body).await.expect_problem(409, "NO_CAPACITY");
    world
        .post(&world.merchant, "/api/v1/pickups", &scheduled(TOMORROW, "10:00"))
        .await
        .expect_problem(409, "NO_CAPACITY");

    let mut booking = scheduled(TOMORROW, "10:00");
    booking.as_object_mut().unwrap().retain(|field, _| field != "date" && field != "slot");
    booking["hold_id"] = held["hold_id"].clone();
    let other = quenty_kernel::id::CompanyId::new();
    world.hear_standing(other, 1, true).await;
    let stranger = world.app.token(quenty_platform::token::Realm::Company, Some(other), &["pickups:*"]);
    world.post(&stranger, "/api/v1/pickups", &booking).await.expect_problem(409, "HOLD_NOT_USABLE");
    let pickup = world.book(&booking).await;
    assert_eq!((&pickup["id"], &pickup["window"]), (&held["hold_id"], &held["window"]));
    world.post(&world.merchant, "/api/v1/pickups", &booking).await.expect_problem(409, "HOLD_NOT_USABLE");
    world.assert_sound().await;
}

#[tokio::test]
async fn each_of_two_slots_that_begin_at_the_same_local_time_can_be_held() {
    let world = World::new(1).await;
    let mut tijuana = bogota(1);
    (tijuana["country"], tijuana["postal_prefixes"]) = (json!("MX"), json!(["22"]));
    (tijuana["time_zone"], tijuana["slot_minutes"]) = (json!("America/Tijuana"), json!(60));
    tijuana["hours"] = json!([{"day": "sunday", "opens": "00:00", "closes": "03:00"}]);
    world.post(&world.dispatcher, "/api/v1/service-areas", &tijuana).await.expect(201);
    // At 2:00 of 1 November 2026 clocks go back to 1:00.
    world.app.advance_to(at("2026-10-30T12:00:00Z"));
    let body =
        json!({"place": {"country": "MX", "postal_code": "22000"}, "date": "2026-11-01", "slot": "01:00"});
    let hold = async || world.post(&world.merchant, "/api/v1/pickups/holds", &body).await;
    let (first, second) = (hold().await.expect(201).json(), hold().await.expect(201).json());
    assert_eq!(first["window"]["end"], second["window"]["start"]);
    hold().await.expect_problem(409, "NO_CAPACITY");
}

#[tokio::test]
async fn a_hold_is_read_by_its_company_until_it_runs_out() {
    let world = World::new(1).await;
    let body =
        json!({"place": {"country": "CO", "postal_code": "110221"}, "date": TOMORROW, "slot": "10:00"});
    let held = world.post(&world.merchant, "/api/v1/pickups/holds", &body).await.expect(201);
    let path = held.header("location").unwrap().to_owned();
    assert_eq!(world.get(&world.merchant, &path).await.expect(200).json(), held.json());
    let stranger = world.app.token(
        quenty_platform::token::Realm::Company,
        Some(quenty_kernel::id::CompanyId::new()),
        &["pickups:*"],
    );
    world.get(&stranger, &path).await.expect_problem(404, "NOT_FOUND");
    world.app.advance_to(at(NINE) + 10.minutes());
    world.get(&world.merchant, &path).await.expect_problem(404, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_company_holds_twenty_places_at_a_time_however_fast_it_asks() {
    let world = World::new(50).await;
    let body =
        json!({"place": {"country": "CO", "postal_code": "110221"}, "date": TOMORROW, "slot": "10:00"});
    let asked = (0..25).map(|_| world.post(&world.merchant, "/api/v1/pickups/holds", &body));
    let answers = futures_util::future::join_all(asked).await;
    let held = answers.iter().filter(|answer| answer.status() == 201).count();
    let refused = answers.iter().filter(|answer| answer.code() == "TOO_MANY_HOLDS").count();
    assert_eq!((held, refused), (20, 5));
    world.app.advance_to(at(NINE) + 10.minutes());
    world.post(&world.merchant, "/api/v1/pickups/holds", &body).await.expect(201);
}

#[tokio::test]
async fn a_hold_frees_itself_by_business_time() {
    let world = World::new(1).await;
    let held = async || {
        let held = sqlx::query_scalar("select count(*) from slot_holds").fetch_one(world.app.app.db());
        let held: i64 = held.await.unwrap();
        held
    };
    let body =
        json!({"place": {"country": "CO", "postal_code": "110221"}, "date": TOMORROW, "slot": "10:00"});
    world.post(&world.merchant, "/api/v1/pickups/holds", &body).await.expect(201);
    world.app.advance_to(at(NINE) + 10.minutes());
    assert_eq!(world.remaining(TOMORROW, "10:00").await, 1);
    world.book(&scheduled(TOMORROW, "10:00")).await;
    let another =
        json!({"place": {"country": "CO", "postal_code": "110221"}, "date": TOMORROW, "slot": "12:00"});
    world.post(&world.merchant, "/api/v1/pickups/holds", &another).await.expect(201);
    assert_eq!(held().await, 1, "who holds any slot of the area sweeps what has run out");
    world.assert_sound().await;
}

#[tokio::test]
async fn places_given_out_under_an_earlier_timetable_still_count() {
    let world = World::new(1).await;
    world.book(&scheduled(TOMORROW, "10:00")).await;
    world.set_slot_minutes(60).await;
    // 11:00 lies in the slot that was taken when slots took two hours.
    world
        .post(&world.merchant, "/api/v1/pickups", &scheduled(TOMORROW, "11:00"))
        .await
        .expect_problem(409, "NO_CAPACITY");
    world.book(&scheduled(TOMORROW, "12:00")).await;
}

#[tokio::test]
async fn longer_slots_count_what_shorter_ones_gave_out_also_where_their_rows_are_known() {
    let world = World::new(1).await;
    world.set_slot_minutes(60).await;
    let cancelled = world.book(&scheduled(TOMORROW, "10:00")).await;
    world.cancel(&cancelled).await;
    let kept = world.book(&scheduled(TOMORROW, "11:00")).await;
    world.set_slot_minutes(120).await;
    assert_eq!(world.remaining(TOMORROW, "10:00").await, 0);
    world
        .post(&world.merchant, "/api/v1/pickups", &scheduled(TOMORROW, "10:00"))
        .await
        .expect_problem(409, "NO_CAPACITY");
    // What is moved keeps itself from no slot: neither from one that its own overlaps, nor from the same one.
    let there = json!({"date": TOMORROW, "slot": "10:00"});
    for _ in 0..2 {
        world.step(&world.merchant, &kept, "reschedule", &there).await.expect(200);
        assert_eq!(world.remaining(TOMORROW, "10:00").await, 0);
    }
    world.cancel(&kept).await;
    assert_eq!(world.remaining(TOMORROW, "10:00").await, 1);
    world.book(&scheduled(TOMORROW, "10:00")).await;
    world.assert_sound().await;
}

#[tokio::test]
async fn a_slot_counts_as_long_as_the_longest_that_was_given_out_of_it() {
    // Rather one place too few than one too many, until the timetable of before has passed.
    let world = World::new(2).await;
    world.book(&scheduled(TOMORROW, "10:00")).await;
    world.set_slot_minutes(60).await;
    world.book(&scheduled(TOMORROW, "10:00")).await;
    world.book(&scheduled(TOMORROW, "12:00")).await;
    assert_eq!(world.remaining(TOMORROW, "11:00").await, 0);
    world
        .post(&world.merchant, "/api/v1/pickups", &scheduled(TOMORROW, "11:00"))
        .await
        .expect_problem(409, "NO_CAPACITY");
    world.assert_sound().await;
}

#[tokio::test]
async fn a_hold_from_an_earlier_timetable_counts_as_long_as_it_lasts() {
    let world = World::new(1).await;
    let body =
        json!({"place": {"country": "CO", "postal_code": "110221"}, "date": TOMORROW, "slot": "10:00"});
    world.post(&world.merchant, "/api/v1/pickups/holds", &body).await.expect(201);
    world.set_slot_minutes(60).await;
    assert_eq!(world.remaining(TOMORROW, "11:00").await, 0);
    world
        .post(&world.merchant, "/api/v1/pickups", &scheduled(TOMORROW, "11:00"))
        .await
        .expect_problem(409, "NO_CAPACITY");
    world.app.advance_to(at(NINE) + 10.minutes());
    world.book(&scheduled(TOMORROW, "11:00")).await;
    world.assert_sound().await;
}
