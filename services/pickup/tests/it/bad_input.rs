use serde_json::{Value, json};

use crate::support::{TODAY, TOMORROW, World, bogota, scheduled};

/// A body with one field changed, by JSON pointer.
fn with(mut body: Value, pointer: &str, value: Value) -> Value {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap();
    match field.parse::<usize>() {
        Ok(index) if parent.is_array() => parent[index] = value,
        _ => parent[field] = value,
    }
    body
}

#[tokio::test]
async fn bad_bookings_are_problems_and_leave_nothing() {
    let world = World::new(5).await;
    let good = || scheduled(TOMORROW, "10:00");
    let many: Vec<Value> = (0..101).map(|_| json!({"weight_grams": 1})).collect();
    let cases = [
        with(good(), "/kind", json!("teleport")),
        with(good(), "/date", json!("2026-02-30")),
        with(good(), "/slot", json!("25:00")),
        with(good(), "/parcels", json!([])),
        with(good(), "/parcels", json!(many)),
        with(good(), "/parcels/0", json!({"weight_grams": 0})),
        with(good(), "/parcels/0", json!({"weight_grams": -5})),
        with(good(), "/insured_value", json!({"amount": "-1.00", "currency": "COP"})),
        with(good(), "/insured_value", json!({"amount": "9999999999999999", "currency": "COP"})),
        with(good(), "/insured_value", json!({"amount": "10.00", "currency": "USD"})),
        with(good(), "/surprise", json!(1)),
        with(good(), "/contact", json!({"name": "x"})),
        with(good(), "/contact/address/country", json!("Colombia")),
        with(good(), "/hold_id", json!("PU-01JD3ZK8Q5V0E8XW4T2M9R6B7C")),
        with(good(), "/hold_id", json!("ORD-01JD3ZK8Q5V0E8XW4T2M9R6B7C")),
        with(with(good(), "/kind", json!("on_demand")), "/slot", json!(null)),
    ];
    for body in cases {
        let answer = world.post(&world.merchant, "/api/v1/pickups", &body).await;
        assert_eq!(answer.status(), 422, "{body}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
    let raw = async |body: &'static [u8]| {
        world.app.post("/api/v1/pickups").token(&world.merchant).raw("application/json", body).send().await
    };
    raw(b"{").await.expect_problem(400, "MALFORMED_JSON");
    assert!(raw(b"{\"kind\": \"\xff\"}").await.status() < 500);
    world.post(&world.dispatcher, "/api/v1/pickups", &good()).await.expect_problem(403, "NO_COMPANY");
    assert_eq!(world.remaining(TOMORROW, "10:00").await, 5);
    world.assert_sound().await;
}

#[tokio::test]
async fn bad_areas_are_refused() {
    let world = World::new(5).await;
    let good = || bogota(5);
    for body in [
        with(good(), "/postal_prefixes", json!([])),
        with(good(), "/postal_prefixes", json!(["--"])),
        with(good(), "/time_zone", json!("Mars/Olympus")),
        with(good(), "/hours", json!([])),
        with(good(), "/slot_minutes", json!(0)),
        with(good(), "/capacity_per_slot", json!(0)),
        with(good(), "/currency", json!("USD")),
        with(good(), "/fees", json!({})),
        with(good(), "/fees/zone", json!({"amount": "-1.00", "currency": "COP"})),
        with(good(), "/polygon", json!([[0, 0], [1, 1]])),
        with(good(), "/holidays", json!(["yesterday"])),
    ] {
        let answer = world.post(&world.dispatcher, "/api/v1/service-areas", &body).await;
        assert_eq!(answer.status(), 422, "{body}: {}", answer.text());
    }
}

#[tokio::test]
async fn bad_steps_and_queries_are_refused() {
    let world = World::new(5).await;
    let (pickup, driver) = world.in_progress(&scheduled(TODAY, "10:00")).await;
    for (verb, body) in [
        ("complete", json!({"parcel_count": 0})),
        ("complete", json!({"parcel_count": 1, "weight_grams": 0})),
        ("complete", json!({"parcel_count": 1, "signature_svg": "<svg onload='x()'></svg>"})),
        ("complete", json!({"parcel_count": 1, "signature_svg": "<svg>\u{0}</svg>"})),
        ("complete", json!({"parcel_count": 1})),
        ("complete", json!({"parcel_count": 2, "handed_over_by": "Luz"})),
        ("complete", json!({"parcel_count": 1, "position": {"lat": 91, "lng": 0}})),
        ("fail", json!({"code": "BORED"})),
        ("arrive", json!({"position": "here"})),
    ] {
        let answer = world.step(&driver, &pickup, verb, &body).await;
        assert_eq!(answer.status(), 422, "{verb} {body}: {}", answer.text());
    }
    for path in [
        "pickups/availability?date=tomorrow",
        "pickups/availability?date=2026-05-05&lat=4.6",
        "pickups/availability?date=2026-05-05&lat=NaN&lng=0",
        "pickups/availability?date=2026-05-05&country=Colombia",
        "service-areas/locate?lat=4.6",
        "service-areas/locate?lat=91&lng=0",
    ] {
        world.get(&world.merchant, &format!("/api/v1/{path}")).await.expect_problem(422, "INVALID_QUERY");
    }
    world
        .get(&world.merchant, "/api/v1/pickups/ORD-01JD3ZK8Q5V0E8XW4T2M9R6B7C")
        .await
        .expect_problem(422, "INVALID_PATH");
    world.assert_sound().await;
}

#[tokio::test]
async fn a_misspelt_query_parameter_is_refused_and_not_ignored() {
    let world = World::new(5).await;
    let pickup = world.book(&scheduled(TOMORROW, "10:00")).await;
    let one = format!("pickups/{}", pickup["id"].as_str().unwrap());
    for path in ["pickups", "drivers", "vehicles", "service-areas"] {
        world.get(&world.dispatcher, &format!("/api/v1/{path}?limit=1")).await.expect(200);
    }
    for path in [
        "pickups?statuss=completed",
        "pickups?status=scheduled&limt=1",
        "drivers?state=active",
        "vehicles?kind=van",
        "service-areas?country=CO",
        "service-areas/locate?country=CO&postcode=110221",
        "pickups/availability?date=2026-05-05&country=CO&postcode=110221",
        &format!("{one}?at=2026-05-05T15:00:00Z"),
    ] {
        world.get(&world.dispatcher, &format!("/api/v1/{path}")).await.expect_problem(422, "INVALID_QUERY");
    }
}
