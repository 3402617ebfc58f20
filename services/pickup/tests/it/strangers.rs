use quenty_testkit::{TestApp, reads, strangers};

#[tokio::test]
async fn no_operation_is_open_to_strangers() {
    let app = TestApp::start(quenty_pickup::service()).await;
    strangers::check(&app, &[]).await;
}

#[tokio::test]
async fn staff_leave_a_record_of_what_is_personal() {
    let app = TestApp::start(quenty_pickup::service()).await;
    let others = ["pickups:hold", "service_areas:read", "vehicles:read"];
    reads::check(&app, &["pickups:read", "drivers:read", "dead_letters:read"], &others).await;
}
