//! A part of the platform is away: what does not need it goes on, and the rest follows by itself.

use std::time::{Duration, Instant};

use http::Method;
use quenty_platform::client::Transport;
use quenty_testkit::http::{Answer, Call};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Cast, Cluster, Merchant, alone, cluster::Own, merchant::BOGOTA, until};

/// Long enough for timeouts, heartbeats and back-off to show: the minute of the promise.
const OUTAGE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn without_rabbitmq_orders_are_accepted_and_flow_on_when_it_returns() {
    let _alone = alone().await;
    let mut cluster = Cluster::start_with(Own { rabbit: true, ..Own::default() }).await;
    let stage = cluster.stage.clone();
    let Cast { merchant, fleet, .. } = Cast::enter(&stage).await;
    let before = merchant.place(&merchant.cash_order()).await;
    merchant.until_status(&before, "processing").await;

    cluster.kill_rabbit().await;
    let away_since = Instant::now();
    let mut orders = Vec::new();
    for _ in 0..10 {
        orders.push(merchant.place(&merchant.cash_order()).await);
    }
    fleet.collect(&before).await;
    tokio::time::sleep(OUTAGE.saturating_sub(away_since.elapsed())).await;
    let health = merchant.client.get("/health").await.expect(200).json();
    let of_order =
        health["services"].as_array().expect("services").iter().find(|s| s["service"] == "order").cloned();
    assert_eq!(
        of_order.expect("Order's health")["status"],
        "degraded",
        "it serves, and says what is missing"
    );
    for order in &orders {
        let path = format!("/api/v1/orders/{}/fulfilment", order["id"].as_str().expect("an id"));
        let saga = merchant.client.get(&path).await.expect(200).json();
        assert_eq!(saga["shipment_id"], Value::Null, "nobody has heard of it yet: {saga:#}");
    }

    cluster.start_rabbit().await;
    for order in &orders {
        merchant.until_status(order, "processing").await;
    }
    let shipment = fleet.shipment_of(&before).await;
    fleet.deliver(&shipment).await;
    merchant.until_status(&before, "delivered").await;
    stage.assert_sound().await;
    cluster.stop().await;
}

#[tokio::test]
async fn without_customer_known_companies_order_and_unknown_ones_are_told_when_to_come_back() {
    let _alone = alone().await;
    let mut cluster = Cluster::start().await;
    let stage = cluster.stage.clone();
    let Cast { merchant: known, fleet, support, .. } = Cast::enter(&stage).await;
    let unknown = Merchant::open(&stage, &support, 2, BOGOTA).await;
    forget(&cluster, &unknown).await;

    // Hanging is worse than being dead: nobody refuses the connection.
    cluster.pause("customer");
    let order = known.place(&known.cash_order()).await;
    let first = timed(&unknown).await;
    assert_told_to_come_back(&first);
    until(Duration::from_secs(60), "the breaker opens", async || {
        assert_told_to_come_back(&timed(&unknown).await);
        (breakers_opened(&cluster).await > 0).then_some(())
    })
    .await;
    let (answer, took) = timed(&unknown).await;
    assert_told_to_come_back(&(answer, took));
    assert!(took < Duration::from_millis(500), "an open breaker answers at once, not after {took:?}");
    cluster.resume("customer");
    cluster.kill("customer").await;
    assert_told_to_come_back(&timed(&unknown).await);
    fleet.collect(&order).await;
    let shipment = fleet.shipment_of(&order).await;
    fleet.deliver(&shipment).await;
    known.until_status(&order, "delivered").await;

    cluster.launch("customer");
    until(Duration::from_secs(30), "the unknown company may order", async || {
        (timed(&unknown).await.0.status() == 201).then_some(())
    })
    .await;
    stage.assert_sound().await;
    cluster.stop().await;
}

#[tokio::test]
async fn without_auth_valid_tokens_keep_working() {
    let _alone = alone().await;
    let mut cluster = Cluster::start().await;
    let stage = cluster.stage.clone();
    let Cast { merchant, fleet, .. } = Cast::enter(&stage).await;
    cluster.kill("auth").await;

    let order = merchant.place(&merchant.order()).await;
    merchant.pay(&order).await;
    fleet.collect(&order).await;
    let shipment = fleet.shipment_of(&order).await;
    fleet.deliver(&shipment).await;
    merchant.until_status(&order, "delivered").await;
    let body = json!({"username_or_email": stage.admin_email, "password": stage.admin_password});
    let refused = stage.anyone().post("/api/v1/auth/login", &body).await;
    assert!(refused.header("retry-after").is_some());
    refused.expect_problem(503, "UPSTREAM_UNAVAILABLE");

    cluster.launch("auth");
    cluster.is_ready().await;
    stage.anyone().post("/api/v1/auth/login", &body).await.expect(200);
    stage.assert_sound().await;
    cluster.stop().await;
}

/// Order has never heard of this company.
async fn forget(cluster: &Cluster, merchant: &Merchant) {
    let id: quenty_kernel::id::CompanyId = merchant.company.parse().expect("a company's id");
    let id: Uuid = quenty_kernel::id::TypedId::uuid(id);
    let pool = cluster.stage.pool("order");
    let gone = sqlx::query("delete from standings where company_id = $1").bind(id).execute(&pool).await;
    assert_eq!(gone.expect("the projection can be changed").rows_affected(), 1);
}

/// Places an order, and tells how long the answer took.
async fn timed(merchant: &Merchant) -> (Answer, Duration) {
    let started = Instant::now();
    let answer = merchant.client.post("/api/v1/orders", &merchant.cash_order()).await;
    (answer, started.elapsed())
}

#[track_caller]
fn assert_told_to_come_back((answer, took): &(Answer, Duration)) {
    assert!(*took < Duration::from_secs(2), "{took:?}");
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
    answer.clone().expect_problem(503, "DEPENDENCY_UNAVAILABLE");
}

/// How often Order's breakers have opened, as its metrics tell.
async fn breakers_opened(cluster: &Cluster) -> u64 {
    let url = format!("{}/metrics", cluster.url("order"));
    let metrics = Call::new(Transport::default(), Method::GET, url).send().await.expect(200).text();
    let opened = metrics.lines().filter(|line| line.starts_with("quenty_breaker_opened_total{"));
    opened.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum()
}
