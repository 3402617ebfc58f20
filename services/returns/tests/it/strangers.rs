use quenty_kernel::id::UserId;
use quenty_platform::{
    access::{self, Filter},
    token::Realm,
};
use quenty_testkit::{reads, strangers};
use serde_json::json;

use crate::{support::World, way_back::completed};

#[tokio::test]
async fn no_operation_is_open_to_strangers() {
    let world = World::new().await;
    strangers::check(&world.app, &["track_return"]).await;
}

#[tokio::test]
async fn staff_leave_a_record_of_what_is_personal() {
    let world = World::new().await;
    let others = ["return_policies:read", "dispositions:read"];
    reads::check(&world.app, &["returns:read", "dead_letters:read"], &others).await;
}

#[tokio::test]
async fn staff_who_change_nothing_have_read() {
    let world = World::new().await;
    let of = world.delivered(1, "100000.00", None).await;
    let asked = world.request(&of, 1, "wrong_item", json!({"way_back": "pickup"})).await;
    let pickup = world.pickup_booked(&asked).await;
    world.app.hear(pickup, Some(world.company), 2, &completed(&world, pickup, &asked)).await;
    let told = async || {
        let reader = UserId::new();
        let token = world.app.token_of(reader, Realm::Staff, None, &["returns:report_lost"]);
        world.step(&token, &asked, "lost", &json!({"reason": "the van was robbed"})).await.expect(200);
        let filter = Filter { actor: Some(reader), ..Filter::default() };
        let reads = access::reads(world.app.app.db(), &filter, 10).await.unwrap();
        reads.into_iter().map(|read| (read.operation, read.path)).collect::<Vec<_>>()
    };
    // What is changed has a fact that says so; what is known already changes nothing.
    assert!(told().await.is_empty());
    let path = format!("/api/v1/returns/{}/lost", asked["id"].as_str().unwrap());
    assert_eq!(told().await, [("POST /api/v1/returns/{id}/lost".to_owned(), path)]);
    world.assert_sound().await;
}
