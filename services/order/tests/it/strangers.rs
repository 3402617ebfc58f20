use quenty_testkit::{TestApp, reads, strangers};

#[tokio::test]
async fn strangers_reach_nothing() {
    let app = TestApp::start(quenty_order::service()).await;
    strangers::check(&app, &[]).await;
}

#[tokio::test]
async fn staff_leave_a_record_of_what_is_personal() {
    let app = TestApp::start(quenty_order::service()).await;
    let others = ["products:read", "warehouses:read", "inventory:read"];
    reads::check(&app, &["orders:read", "orders:import", "dead_letters:read"], &others).await;
}
