use quenty_testkit::strangers;

use crate::support::World;

#[tokio::test]
async fn no_operation_is_open_to_strangers() {
    let world = World::new().await;
    strangers::check(&world.app, &["track_return"]).await;
}
