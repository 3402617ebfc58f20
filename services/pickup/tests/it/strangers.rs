use quenty_testkit::{TestApp, strangers};

#[tokio::test]
async fn no_operation_is_open_to_strangers() {
    let app = TestApp::start(quenty_pickup::service()).await;
    strangers::check(&app, &[]).await;
}
