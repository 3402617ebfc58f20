use quenty_testkit::{reads, strangers};

use crate::support::World;

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
