use quenty_testkit::{TestApp, strangers};

#[tokio::test]
async fn strangers_reach_nothing() {
    let app = TestApp::start(quenty_returns::service()).await;
    strangers::check(&app, &[]).await;
}
