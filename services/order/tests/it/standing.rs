use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::{Json, Router, extract::Path, routing::get};
use jiff::SignedDuration;
use quenty_contracts::customer::Standing;
use quenty_kernel::id::{CompanyId, OrderId};
use quenty_testkit::{TestApp, TestOptions, eventually, neighbour::serve};
use serde_json::{Value, json};

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

fn suspended(company: CompanyId, version: i64) -> Standing {
    Standing { version, status: "suspended".to_owned(), may_order: false, ..standing(company) }
}

/// The payment of two pieces.
fn payment() -> Value {
    json!({"amount": {"amount": "100000.00", "currency": "COP"}})
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
    let by_hand = shop.place(json!({"payment_method": "prepaid"})).await;
    shop.act(by_hand, "hold", json!({"reason": "wait"})).await.expect(200);
    hear_standing(&app, suspended(shop.merchant.company, 3)).await;
    // Heard late, said before.
    hear_standing(&app, Standing { version: 2, ..standing(shop.merchant.company) }).await;
    let refused = shop.try_place(json!({})).await.expect_problem(409, "COMPANY_NOT_ACTIVE").json();
    assert_eq!(refused["company_status"], "suspended");
    // What was placed before goes no further either, whoever or whatever would let it.
    shop.merchant.receive(&mug, &shop.warehouse, 1).await;
    shop.held(waits, "COMPANY_NOT_ACTIVE").await;
    shop.act(prepaid, "payments", payment()).await.expect(200);
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
        eventually("what was held goes on by itself", || async {
            (shop.status(id).await == "confirmed").then_some(())
        })
        .await;
        shop.assert_sound(id).await;
    }
    assert_eq!(shop.get(by_hand).await["on_hold"]["code"], "MANUAL", "a person decided so");
    let last = shop.place(json!({})).await;
    let closed = Standing {
        version: 5,
        status: "closed".to_owned(),
        may_order: false,
        ..standing(shop.merchant.company)
    };
    hear_standing(&app, closed).await;
    for id in [waits, prepaid, by_hand, last] {
        eventually("what nobody has collected is cancelled", || async {
            (shop.status(id).await == "cancelled").then_some(())
        })
        .await;
        shop.assert_sound(id).await;
    }
    assert_eq!(shop.stock().await, (100, 0, 100));
}

async fn until_waiting(app: &TestApp, transactions: i64) {
    let waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    eventually("they wait", || async {
        let count: i64 = sqlx::query_scalar(waiting).fetch_one(app.app.db()).await.unwrap();
        (count >= transactions).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_being_held_while_its_company_is_allowed_again_goes_on_too() {
    let app = app_with(NOWHERE.to_owned()).await;
    let shop = Shop::open(&app).await;
    let company = shop.merchant.company;
    let id = shop.place(json!({"payment_method": "prepaid"})).await;
    hear_standing(&app, suspended(company, 2)).await;
    // The payment finds the company suspended, and cannot write that down yet.
    let mut writing = app.app.db().begin().await.unwrap();
    sqlx::query("lock table fulfilments in share mode").execute(&mut *writing).await.unwrap();
    let allowing = async {
        until_waiting(&app, 1).await;
        let writing_on = async {
            until_waiting(&app, 2).await;
            writing.rollback().await.unwrap();
        };
        let allowed = Standing { version: 3, ..standing(company) };
        tokio::join!(hear_standing(&app, allowed), writing_on);
    };
    let (paid, ()) = tokio::join!(shop.act(id, "payments", payment()), allowing);
    assert_eq!(paid.expect(200).json()["on_hold"]["code"], "COMPANY_NOT_ACTIVE");
    eventually("it goes on by itself", || async { (shop.status(id).await == "confirmed").then_some(()) })
        .await;
    shop.assert_sound(id).await;
}

#[tokio::test]
async fn an_order_that_cannot_be_read_keeps_no_other_of_its_company_waiting() {
    let app = app_with(NOWHERE.to_owned()).await;
    let shop = Shop::open(&app).await;
    let company = shop.merchant.company;
    let broken = shop.place(json!({"payment_method": "prepaid"})).await;
    let other = shop.place(json!({"payment_method": "prepaid"})).await;
    let reaches = async |id: OrderId, status: &str| {
        eventually(status, || async { (shop.status(id).await == status).then_some(()) }).await;
    };
    hear_standing(&app, suspended(company, 2)).await;
    for id in [broken, other] {
        shop.act(id, "payments", payment()).await.expect(200);
        shop.held(id, "COMPANY_NOT_ACTIVE").await;
    }
    let closed = Standing { status: "closed".to_owned(), ..suspended(company, 4) };
    for (told, status) in [(Standing { version: 3, ..standing(company) }, "confirmed"), (closed, "cancelled")]
    {
        // It comes before the other.
        sqlx::query("update orders set sender = '{}' where id = $1")
            .bind(broken.uuid())
            .execute(app.app.db())
            .await
            .unwrap();
        hear_standing(&app, told).await;
        reaches(other, status).await;
        // Both start at the same warehouse.
        let mended = "update orders set sender = (select sender from orders where id = $2) where id = $1";
        let mended = sqlx::query(mended).bind(broken.uuid()).bind(other.uuid());
        mended.execute(app.app.db()).await.unwrap();
        reaches(broken, status).await;
    }
    for id in [broken, other] {
        shop.assert_sound(id).await;
    }
}

#[tokio::test]
async fn what_nobody_has_answered_is_asked_for_again_once_the_company_may() {
    let app = app_with(NOWHERE.to_owned()).await;
    let shop = Shop::open(&app).await;
    let company = shop.merchant.company;
    let id = shop.place(json!({})).await;
    shop.let_the_deadline_pass(id).await;
    shop.held(id, "SHIPMENT_UNANSWERED").await;
    hear_standing(&app, suspended(company, 2)).await;
    let held = shop.act(id, "retry", json!({})).await.expect(200).json();
    assert_eq!(held["on_hold"]["code"], "COMPANY_NOT_ACTIVE");
    hear_standing(&app, Standing { version: 3, ..standing(company) }).await;
    eventually("it goes on by itself", || async {
        (shop.count_facts(id, "shipment_requested").await == 2).then_some(())
    })
    .await;
    assert_eq!(shop.fulfilment(id).await["attempt"], 1, "so that nothing is booked twice");
    shop.assert_sound(id).await;
}
