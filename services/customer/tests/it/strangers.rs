use quenty_testkit::{TestApp, reads, strangers};

#[tokio::test]
async fn strangers_reach_nothing() {
    let app = TestApp::start(quenty_customer::service()).await;
    strangers::check(&app, &[]).await;
}

#[tokio::test]
async fn staff_leave_a_record_of_what_is_personal() {
    let app = TestApp::start(quenty_customer::service()).await;
    let personal = ["companies:read", "members:read", "users:read", "customers:read", "dead_letters:read"];
    reads::check(&app, &personal, &["privacy:read"]).await;
}
