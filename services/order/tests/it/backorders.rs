use quenty_testkit::{TestApp, eventually};
use serde_json::json;

use crate::shop::Shop;

#[tokio::test]
async fn who_waits_for_stock_is_served_in_turn() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let more = |quantity: u32| json!({"allow_backorder": true, "lines": [{"product_id": shop.product, "quantity": quantity}]});
    let first = shop.place(more(150)).await;
    let second = shop.place(more(20)).await;
    assert_eq!(
        (shop.status(first).await, shop.status(second).await),
        ("backordered".to_owned(), "backordered".to_owned())
    );
    assert_eq!(shop.fulfilment(first).await["step"], "stock");
    let behind = shop.try_place(json!({})).await.expect_problem(409, "INSUFFICIENT_STOCK").json();
    assert_eq!(behind["products"][0]["available"], json!([]), "the hundred are promised");
    // Enough for the second, but the first came first.
    shop.merchant.receive(&shop.product, &shop.warehouse, 30).await;
    app.at_rest().await;
    assert_eq!(shop.status(second).await, "backordered");
    shop.merchant.receive(&shop.product, &shop.warehouse, 200).await;
    for id in [first, second] {
        eventually("it is served", || async { (shop.status(id).await == "confirmed").then_some(()) }).await;
    }
    assert_eq!(shop.stock().await, (330, 170, 160));
    let (waits, behind) = (shop.place(more(170)).await, shop.place(more(70)).await);
    assert_eq!(shop.status(behind).await, "backordered");
    assert_eq!(shop.cancel(waits).await.expect(200).json()["status"], "cancelled");
    eventually("the next in turn is served", || async {
        (shop.status(behind).await == "confirmed").then_some(())
    })
    .await;
    shop.place(json!({})).await;
    shop.assert_sound(first).await;
}

#[tokio::test]
async fn an_order_keeps_from_others_only_what_it_waits_for() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let rare = shop.merchant.product("RARE", json!({})).await;
    let line = |product: &str, quantity: u32| json!({"product_id": product, "quantity": quantity});
    let waiting = |lines: serde_json::Value| json!({"allow_backorder": true, "lines": lines});
    let first = shop.place(waiting(json!([line(&shop.product, 60), line(&rare, 1)]))).await;
    let second = shop.place(waiting(json!([line(&rare, 1)]))).await;
    let other = shop.place(json!({"lines": [line(&shop.product, 50)]})).await;
    assert_eq!(shop.status(other).await, "confirmed");
    // Now the first is short of the other product, and the rare one is for whoever comes next.
    shop.merchant.receive(&rare, &shop.warehouse, 1).await;
    eventually("the second is served", || async { (shop.status(second).await == "confirmed").then_some(()) })
        .await;
    assert_eq!(shop.status(first).await, "backordered");
    shop.merchant.receive(&rare, &shop.warehouse, 1).await;
    shop.merchant.receive(&shop.product, &shop.warehouse, 10).await;
    eventually("the first is served", || async { (shop.status(first).await == "confirmed").then_some(()) })
        .await;
    shop.assert_sound(first).await;
}
