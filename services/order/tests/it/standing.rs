use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::{Json, Router, extract::Path, routing::get};
use jiff::SignedDuration;
use quenty_contracts::customer::Standing;
use quenty_testkit::{TestApp, TestOptions, eventually, neighbour::serve};
use serde_json::json;

use crate::{
    merchant::Merchant,
    shop::{Shop, hear_standing, order, standing, start},
};

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:9";

async fn app_with(customer_url: String) -> TestApp {
    let settings = vec![("customer_url", customer_url)];
    TestApp::start_with(quenty_order::service(), TestOptions { starts_at: Some(start()), settings }).await
}

/// A Customer that knows every company, and counts how often it is asked.
async fn customer() -> (String, Arc<AtomicU32>) {
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let answer = get(async move |Path(id): Path<String>| -> Json<Standing> {
        count.fetch_add(1, Ordering::SeqCst);
        Json(standing(id.parse().unwrap()))
    });
    (serve(Router::new().route("/internal/companies/{id}/standing", answer)).await, asked)
}

#[tokio::test]
async fn a_company_never_seen_is_asked_for_once() {
    let (url, asked) = customer().await;
    let app = app_with(url).await;
    let merchant = Merchant::new(&app);
    let warehouse = merchant.warehouse("Centro").await;
    let product = merchant.product("CAM-1", json!({})).await;
    merchant.receive(&product, &warehouse, 10).await;
    for _ in 0..3 {
        merchant.post("/api/v1/orders", order(&product, json!({}))).await.expect(201);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    app.advance_to(start() + SignedDuration::from_hours(25));
    let placed = merchant.post("/api/v1/orders", order(&product, json!({}))).await.expect(201).json();
    assert_eq!((asked.load(Ordering::SeqCst), &placed["stale_standing"]), (2, &json!(false)));
}

#[tokio::test]
async fn while_customer_is_away_only_strangers_wait() {
    let app = app_with(NOWHERE.to_owned()).await;
    let shop = Shop::open(&app).await;
    let stranger = Merchant::new(&app);
    let began = std::time::Instant::now();
    let refused = stranger.post("/api/v1/orders", shop.order(json!({}))).await;
    assert!(refused.header("retry-after").is_some());
    refused.expect_problem(503, "DEPENDENCY_UNAVAILABLE");
    assert!(began.elapsed() < std::time::Duration::from_secs(2), "{:?}", began.elapsed());
    let fresh = shop.place(json!({})).await;
    assert_eq!(shop.get(fresh).await["stale_standing"], false);
    app.advance_to(start() + SignedDuration::from_hours(25));
    let stale = shop.place(json!({})).await;
    assert_eq!(shop.get(stale).await["stale_standing"], true);
    app.assert_sound().await;
}

#[tokio::test]
async fn only_an_active_company_orders_and_the_highest_version_holds() {
    let app = app_with(NOWHERE.to_owned()).await;
    let shop = Shop::open(&app).await;
    let mug = shop.merchant.product("MUG", json!({})).await;
    let one = json!([{"product_id": mug, "quantity": 1}]);
    let waits = shop.place(json!({"allow_backorder": true, "lines": one})).await;
    let prepaid = shop.place(json!({"payment_method": "prepaid"})).await;
    let suspended = Standing {
        version: 3,
        status: "suspended".to_owned(),
        may_order: false,
        ..standing(shop.merchant.company)
    };
    hear_standing(&app, suspended).await;
    // Heard late, said before.
    hear_standing(&app, Standing { version: 2, ..standing(shop.merchant.company) }).await;
    let refused = shop.try_place(json!({})).await.expect_problem(409, "COMPANY_NOT_ACTIVE").json();
    assert_eq!(refused["company_status"], "suspended");
    // What was placed before goes no further either, whoever or whatever would let it.
    shop.merchant.receive(&mug, &shop.warehouse, 1).await;
    shop.held(waits, "COMPANY_NOT_ACTIVE").await;
    let paid = json!({"amount": {"amount": "100000.00", "currency": "COP"}});
    shop.act(prepaid, "payments", paid).await.expect(200);
    for id in [waits, prepaid] {
        let refused = shop.act(id, "retry", json!({})).await.expect(200).json();
        assert_eq!(
            (&refused["status"], &refused["on_hold"]["code"]),
            (&json!("pending"), &json!("COMPANY_NOT_ACTIVE"))
        );
        assert_eq!(shop.count_facts(id, "shipment_requested").await, 0);
    }
    hear_standing(&app, Standing { version: 4, ..standing(shop.merchant.company) }).await;
    for id in [waits, prepaid] {
        shop.act(id, "retry", json!({})).await.expect(200);
        assert_eq!(shop.status(id).await, "confirmed");
        shop.assert_sound(id).await;
    }
    let last = shop.place(json!({})).await;
    let closed = Standing {
        version: 5,
        status: "closed".to_owned(),
        may_order: false,
        ..standing(shop.merchant.company)
    };
    hear_standing(&app, closed).await;
    for id in [waits, prepaid, last] {
        eventually("what nobody has collected is cancelled", || async {
            (shop.status(id).await == "cancelled").then_some(())
        })
        .await;
        shop.assert_sound(id).await;
    }
    assert_eq!(shop.stock().await, (100, 0, 100));
}
