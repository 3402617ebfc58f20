use serde_json::json;

use crate::support::{World, bogota};

#[tokio::test]
async fn a_polygon_comes_before_a_postal_prefix_and_the_longest_prefix_wins() {
    let world = World::new(5).await;
    let mut chapinero = bogota(5);
    chapinero["name"] = json!("Chapinero");
    chapinero["postal_prefixes"] = json!(["1102-31"]);
    let mut norte = bogota(5);
    norte["name"] = json!("Norte");
    norte["postal_prefixes"] = json!([]);
    norte["polygon"] = json!([[-74.1, 4.6], [-74.0, 4.6], [-74.0, 4.7], [-74.1, 4.7]]);
    for area in [chapinero, norte] {
        world.post(&world.dispatcher, "/api/v1/service-areas", &area).await.expect(201);
    }
    let name = async |query: &str| {
        let answer =
            world.get(&world.merchant, &format!("/api/v1/service-areas/locate?{query}")).await.expect(200);
        answer.json()["name"].as_str().unwrap().to_owned()
    };
    assert_eq!(name("country=CO&postal_code=110221").await, "Bogotá");
    assert_eq!(name("country=CO&postal_code=110231").await, "Chapinero");
    assert_eq!(name("country=CO&postal_code=110231&lat=4.65&lng=-74.05").await, "Norte");
    assert_eq!(name("lat=4.65&lng=-74.05").await, "Norte");
    for nowhere in ["country=MX&postal_code=110231", "lat=0&lng=0", "postal_code=110231"] {
        let path = format!("/api/v1/service-areas/locate?{nowhere}");
        world.get(&world.merchant, &path).await.expect_problem(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_needs_the_version_that_was_seen() {
    let world = World::new(5).await;
    let listed = world.get(&world.merchant, "/api/v1/service-areas").await.expect(200).json();
    let area = &listed["items"][0];
    let path = format!("/api/v1/service-areas/{}", area["id"].as_str().unwrap());
    let patch = async |version: &str, body| {
        world.app.patch(&path).token(&world.dispatcher).header("if-match", version).json(&body).send().await
    };
    let changed = patch("\"1\"", json!({"capacity_per_slot": 9, "active": false})).await.expect(200);
    assert_eq!(changed.header("etag"), Some("\"2\""));
    assert_eq!((&changed.json()["capacity_per_slot"], &changed.json()["name"]), (&json!(9), &area["name"]));
    patch("\"1\"", json!({"express": false})).await.expect_problem(412, "VERSION_MISMATCH");
    patch("\"2\"", json!({"postal_prefixes": []})).await.expect_problem(422, "INVALID_BODY");
    // An inactive area takes no pickups.
    let body = crate::support::scheduled(crate::support::TOMORROW, "10:00");
    world.post(&world.merchant, "/api/v1/pickups", &body).await.expect_problem(409, "NO_SERVICE_AREA");
}

#[tokio::test]
async fn all_that_is_kept_of_areas_is_dropped_when_one_of_them_changes() {
    let world = World::new(5).await;
    let made = world.post(&world.dispatcher, "/api/v1/service-areas", &bogota(5)).await.expect(201);
    let path = made.header("location").unwrap();
    let group = made.header("cache-group-invalidation").unwrap();
    for path in ["/api/v1/service-areas", path] {
        let read = world.get(&world.merchant, path).await.expect(200);
        assert_eq!(read.header("cache-groups"), Some(group), "{path}");
        let kept = read.header("cache-control").unwrap();
        assert!(
            kept.contains("max-age=0") && kept.contains("s-maxage=300"),
            "not by the caller itself: {kept}"
        );
    }
    let place = "/api/v1/service-areas/locate?country=CO&postal_code=110221";
    let located = world.get(&world.merchant, place).await.expect(200);
    assert_eq!(located.header("cache-control"), None, "there are too many places to keep any");
    let change = json!({"capacity_per_slot": 9});
    let changed = world.app.patch(path).token(&world.dispatcher).json(&change).send().await.expect(200);
    assert_eq!(
        (changed.header("cache-group-invalidation"), changed.header("cache-control")),
        (Some(group), None)
    );
}

#[tokio::test]
async fn a_polygon_is_taken_away_by_null() {
    let world = World::new(5).await;
    let mut body = bogota(5);
    body["polygon"] = json!([[-74.1, 4.6], [-74.0, 4.6], [-74.0, 4.7], [-74.1, 4.7]]);
    let made = world.post(&world.dispatcher, "/api/v1/service-areas", &body).await.expect(201);
    let path = made.header("location").unwrap().to_owned();
    let patch = async |body| world.app.patch(&path).token(&world.dispatcher).json(&body).send().await;
    assert!(patch(json!({"express": false})).await.expect(200).json()["polygon"].is_array());
    patch(json!({"polygon": null})).await.expect(200);
    let read = world.get(&world.merchant, &path).await.expect(200);
    assert_eq!((&read.json()["polygon"], read.header("etag")), (&json!(null), Some("\"3\"")));
}

#[tokio::test]
async fn a_company_may_not_open_areas_whatever_its_token_says() {
    let world = World::new(5).await;
    let company = quenty_kernel::id::CompanyId::new();
    let owner = world.app.token(quenty_platform::token::Realm::Company, Some(company), &["*"]);
    world.post(&owner, "/api/v1/service-areas", &bogota(1)).await.expect_problem(403, "STAFF_ONLY");
    world.get(&owner, "/api/v1/drivers").await.expect_problem(403, "STAFF_ONLY");
    world.get(&owner, "/api/v1/vehicles").await.expect_problem(403, "STAFF_ONLY");
}
