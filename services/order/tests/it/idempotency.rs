use futures_util::future::join_all;
use quenty_testkit::{TestApp, eventually, http::Answer};
use serde_json::json;

use crate::shop::Shop;

async fn place(shop: &Shop<'_>, key: &str) -> Answer {
    let body = shop.order(json!({}));
    shop.merchant
        .app
        .post("/api/v1/orders")
        .token(&shop.merchant.token)
        .idempotency_key(key)
        .json(&body)
        .send()
        .await
}

#[tokio::test]
async fn twenty_requests_with_one_key_make_one_order() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let answers = join_all((0..20).map(|_| place(&shop, "k-1"))).await;
    let made: Vec<_> = answers.iter().filter(|answer| answer.status() == 201).collect();
    assert!(!made.is_empty());
    assert!(made.iter().all(|answer| answer.json() == made[0].json()));
    for answer in answers.iter().filter(|answer| answer.status() != 201) {
        answer.clone().expect_problem(409, "IDEMPOTENCY_IN_PROGRESS");
        assert!(answer.header("retry-after").is_some());
        let again = eventually("repeated, it gives the first answer", || async {
            Some(place(&shop, "k-1").await).filter(|answer| answer.code() != "IDEMPOTENCY_IN_PROGRESS")
        });
        assert_eq!(again.await.expect(201).json(), made[0].json());
    }
    assert_eq!(shop.stock().await, (100, 2, 98));
    assert_eq!(
        shop.merchant.get("/api/v1/orders").await.expect(200).json()["items"].as_array().unwrap().len(),
        1
    );
    app.assert_sound().await;
}

#[tokio::test]
async fn a_key_belongs_to_one_body_and_a_refusal_is_not_kept() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    place(&shop, "k-1").await.expect(201);
    let other = shop.order(json!({"notes": "another"}));
    let answer = app
        .post("/api/v1/orders")
        .token(&shop.merchant.token)
        .idempotency_key("k-1")
        .json(&other)
        .send()
        .await;
    answer.expect_problem(422, "IDEMPOTENCY_KEY_REUSED");
    let many = shop.order(json!({"lines": [{"product_id": shop.product, "quantity": 99}]}));
    let call =
        || app.post("/api/v1/orders").token(&shop.merchant.token).idempotency_key("k-2").json(&many).send();
    call().await.expect_problem(409, "INSUFFICIENT_STOCK");
    shop.merchant.receive(&shop.product, &shop.warehouse, 1).await;
    let again = eventually("the key is free", || async {
        Some(call().await).filter(|answer| answer.code() != "IDEMPOTENCY_IN_PROGRESS")
    });
    again.await.expect(201);
}
