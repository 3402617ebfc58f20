use quenty_kernel::id::UserId;
use quenty_platform::{
    access::{self, Filter},
    token::Realm,
};
use quenty_testkit::{TestApp, reads, strangers};
use serde_json::json;

use crate::shop::{Road, Shop};

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

#[tokio::test]
async fn staff_who_change_nothing_have_read() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let id = shop.place(json!({})).await;
    Road::of(&shop, id).until_processing().await;
    let path = format!("/api/v1/orders/{id}/cancel");
    let told = async || {
        let reader = UserId::new();
        let token = app.token_of(reader, Realm::Staff, None, &["orders:cancel"]);
        let body = json!({"reason": "the buyer telephoned"});
        app.post(&path).token(&token).json(&body).send().await.expect(200);
        let filter = Filter { actor: Some(reader), ..Filter::default() };
        let reads = access::reads(app.app.db(), &filter, 10).await.unwrap();
        reads.into_iter().map(|read| (read.operation, read.path)).collect::<Vec<_>>()
    };
    // What is changed has a fact that says so; asking twice changes nothing.
    assert!(told().await.is_empty());
    assert_eq!(told().await, [("POST /api/v1/orders/{id}/cancel".to_owned(), path.clone())]);
    app.assert_sound().await;
}
