use quenty_kernel::id::UserId;
use serde_json::json;

use crate::support::{TODAY, World, scheduled};

#[tokio::test]
async fn an_inactive_driver_and_a_small_vehicle_get_no_stop() {
    let world = World::new(5).await;
    let pickup = world.book(&scheduled(TODAY, "10:00")).await;
    let bike = json!({"kind": "bike", "capacity_grams": 1000, "capacity_cm3": 30_000});
    let bike = world.post(&world.dispatcher, "/api/v1/vehicles", &bike).await.expect(201).json();
    let (driver, _) = world.driver().await;
    let path = format!("/api/v1/drivers/{}", driver["id"].as_str().unwrap());
    let patch = async |body| world.app.patch(&path).token(&world.dispatcher).json(&body).send().await;
    let assign =
        async || world.step(&world.dispatcher, &pickup, "assign", &json!({"driver_id": driver["id"]})).await;

    patch(json!({"vehicle_id": bike["id"]})).await.expect(200);
    assign().await.expect_problem(409, "VEHICLE_TOO_SMALL");
    let van = json!({"kind": "van", "capacity_grams": 900_000, "capacity_cm3": 4_000_000});
    let van = world.post(&world.dispatcher, "/api/v1/vehicles", &van).await.expect(201).json();
    for made in [&bike, &van] {
        let path = format!("/api/v1/vehicles/{}", made["id"].as_str().unwrap());
        assert_eq!(&world.get(&world.dispatcher, &path).await.expect(200).json(), made);
    }
    patch(json!({"vehicle_id": van["id"], "status": "inactive"})).await.expect(200);
    assign().await.expect_problem(409, "DRIVER_INACTIVE");
    let updated = patch(json!({"status": "active", "skills": ["cold chain"]})).await.expect(200);
    assert_eq!(updated.json()["skills"], json!(["cold chain"]));
    assert_eq!(updated.json()["vehicle_id"], van["id"], "what is absent stays");
    let read = world.get(&world.dispatcher, &path).await.expect(200);
    assert_eq!((read.header("etag"), read.json()), (updated.header("etag"), updated.json()));
    let on_foot = patch(json!({"vehicle_id": null})).await.expect(200).json();
    assert_eq!(on_foot["vehicle_id"], json!(null));
    assign().await.expect(200);

    let active = world.get(&world.dispatcher, "/api/v1/drivers?status=active").await.expect(200).json();
    assert_eq!(active["items"].as_array().unwrap().len(), 1);
    let vehicles = world.get(&world.dispatcher, "/api/v1/vehicles").await.expect(200).json();
    assert_eq!(vehicles["items"].as_array().unwrap().len(), 2);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_user_is_one_driver() {
    let world = World::new(5).await;
    let body = json!({"user_id": UserId::new(), "name": "Yaneth Bernal", "phone": "+573005550002"});
    world.post(&world.dispatcher, "/api/v1/drivers", &body).await.expect(201);
    world.post(&world.dispatcher, "/api/v1/drivers", &body).await.expect_problem(409, "USER_DRIVES_ALREADY");
}
