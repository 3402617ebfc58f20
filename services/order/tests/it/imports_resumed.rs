//! What stops an import, and how it goes on or ends.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use quenty_testkit::{TestApp, eventually};
use serde_json::json;

use crate::{
    import_file::{
        Customers, TWO_ORDERS, app_with, count, counts, ended, file, import, merchant, options, orders, row,
        send,
    },
    merchant::{Merchant, assert_stock_is_its_ledger},
    shop::{hear_standing, standing},
};

/// Where to look for an import of sixty orders, of which some are in.
async fn sixty_under_way(merchant: &Merchant<'_>) -> String {
    let content: String = (0..60)
        .map(|n| row(&format!("#{n}")).replacen(",,", &format!(",buyer{n}@example.com,"), 1))
        .collect();
    let accepted = send(merchant, "stock=assume", file(&content)).await.expect(202);
    let location = accepted.header("location").unwrap().to_owned();
    eventually("some orders are in", || async {
        (merchant.get(&location).await.json()["created"].as_i64() >= Some(10)).then_some(())
    })
    .await;
    location
}

#[tokio::test]
async fn a_worker_that_takes_over_goes_on_without_doubles() {
    let customers = Customers::default();
    customers.milliseconds.store(15, Ordering::SeqCst);
    let app = app_with(&customers).await;
    let merchant = merchant(&app).await;
    let location = sixty_under_way(&merchant).await;
    // The lease runs out under the worker: another one begins while the first still works.
    let lost = sqlx::query(
        "update quenty.tasks set lease_until = now() - interval '1 second' where kind = 'import_orders' and status = 'running'",
    );
    assert_eq!(lost.execute(app.app.db()).await.unwrap().rows_affected(), 1);
    let done = ended(&merchant, &location).await;
    assert_eq!((&done["status"], counts(&done)), (&json!("done"), [60, 60, 0, 0]), "{done:#}");
    assert_eq!(orders(&merchant).await.len(), 60);
    assert_stock_is_its_ledger(&app).await;
    assert_eq!(
        count(
            &app,
            "select coalesce(sum(on_hand_delta), 0)::bigint from stock_movements where kind = 'receipt'"
        )
        .await,
        60
    );
}

#[tokio::test]
async fn an_import_goes_on_after_its_service_was_stopped() {
    let customers = Customers::default();
    customers.milliseconds.store(15, Ordering::SeqCst);
    let app = app_with(&customers).await;
    let first = merchant(&app).await;
    let location = sixty_under_way(&first).await;
    let (company, token) = (first.company, first.token.clone());
    let database = app.stop().await;
    let app = TestApp::start_on(quenty_order::service(), options(customers.serve().await), database).await;
    let merchant = Merchant { app: &app, company, token };
    let before = merchant.get(&location).await.expect(200).json();
    assert!((Some(10)..Some(60)).contains(&before["created"].as_i64()), "{before:#}");
    let done = ended(&merchant, &location).await;
    assert_eq!(counts(&done), [60, 60, 0, 0], "{done:#}");
    assert_eq!(orders(&merchant).await.len(), 60);
    let fresh =
        "select count(*) from quenty.tasks where kind = 'import_orders' and key like '%:%' and attempts = 1";
    assert!(count(&app, fresh).await >= 1, "what went on costs no tries");
    app.assert_sound().await;
}

#[tokio::test]
async fn a_long_import_is_handed_on_before_a_try_has_taken_too_long() {
    let customers = Customers::default();
    // Sixty of them take longer than a try may.
    customers.milliseconds.store(120, Ordering::SeqCst);
    let mut options = options(customers.serve().await);
    options.settings.push(("task_timeout_ms", "6000".to_owned()));
    let app = TestApp::start_with(quenty_order::service(), options).await;
    let merchant = merchant(&app).await;
    let location = sixty_under_way(&merchant).await;
    let done = ended(&merchant, &location).await;
    assert_eq!((&done["status"], counts(&done)), (&json!("done"), [60, 60, 0, 0]), "{done:#}");
    assert_eq!(orders(&merchant).await.len(), 60);
    let handed_on = "select count(*) from quenty.tasks where kind = 'import_orders' and key like '%:%'";
    assert!(count(&app, handed_on).await >= 1);
    let again = "select count(*) from quenty.tasks where kind = 'import_orders' and attempts > 1";
    assert_eq!(count(&app, again).await, 0, "no try has failed");
    app.assert_sound().await;
}

#[tokio::test]
async fn a_company_that_is_suspended_meanwhile_imports_nothing_more() {
    let customers = Customers::default();
    customers.milliseconds.store(15, Ordering::SeqCst);
    let app = app_with(&customers).await;
    let merchant = merchant(&app).await;
    let location = sixty_under_way(&merchant).await;
    let mut barred = standing(merchant.company);
    (barred.status, barred.may_order, barred.version) = ("suspended".to_owned(), false, 2);
    hear_standing(&app, barred).await;
    let before = orders(&merchant).await.len();
    let done = ended(&merchant, &location).await;
    let [read, created, _, rejected] = counts(&done);
    assert_eq!((read, created + rejected), (60, 60), "{done:#}");
    // The one that was under way may have got through.
    assert!((before..=before + 1).contains(&usize::try_from(created).unwrap()), "{before}, {done:#}");
    let told = merchant.get(&format!("{location}/errors")).await.expect(200).text();
    assert!(told.contains("COMPANY_NOT_ACTIVE"), "{told}");
}

#[tokio::test]
async fn what_is_not_the_rows_fault_is_tried_again() {
    let customers = Customers::default();
    customers.refusals.store(2, Ordering::SeqCst);
    let app = app_with(&customers).await;
    let merchant = merchant(&app).await;
    let nobody = row("#2").replacen(",,", ",no@example.com,", 1).replace("Ana Gómez", "Nobody");
    let done = import(&merchant, "stock=assume", file(&format!("{TWO_ORDERS}{nobody}"))).await;
    assert_eq!(counts(&done), [3, 2, 0, 1], "{done:#}");
    let path = format!("/api/v1/imports/{}/errors", done["id"].as_str().unwrap());
    let told = merchant.get(&path).await.expect(200).text();
    assert!(told.lines().nth(1).unwrap().starts_with("5,Email,CUSTOMER_REFUSED,"), "{told}");
}

#[tokio::test]
async fn an_import_that_gets_nowhere_ends_and_says_why() {
    let customers = Customers::default();
    customers.refusals.store(u64::MAX, Ordering::SeqCst);
    let with_pause = async |milliseconds: &str| {
        let mut options = options(customers.serve().await);
        options.settings.push(("retry_pause_ms", milliseconds.to_owned()));
        options
    };
    let app = TestApp::start_with(quenty_order::service(), with_pause("60000").await).await;
    let first = merchant(&app).await;
    let accepted = send(&first, "stock=assume", file(TWO_ORDERS)).await.expect(202);
    let location = accepted.header("location").unwrap().to_owned();
    let (company, token) = (first.company, first.token.clone());
    eventually("a try has failed", || async {
        (customers.refusals.load(Ordering::SeqCst) < u64::MAX).then_some(())
    })
    .await;
    let stopped = Instant::now();
    let database = app.stop().await;
    assert!(stopped.elapsed() < Duration::from_secs(5), "the next try is a quarter of a minute away");
    let app = TestApp::start_on(quenty_order::service(), with_pause("50").await, database).await;
    let merchant = Merchant { app: &app, company, token };
    let last = "update quenty.tasks set attempts = 7, run_at = now(), status = 'ready', lease_token = null where kind = 'import_orders'";
    sqlx::query(last).execute(app.app.db()).await.unwrap();
    let done = ended(&merchant, &location).await;
    let failure = done["failure"].as_str().unwrap();
    assert!(
        done["status"] == "failed" && failure.contains("given up after 8 tries and 0 orders"),
        "{done:#}"
    );
    app.assert_sound().await;
}
