//! One trace follows an order through every process and every event (W3C Trace Context).

use http::Method;
use sqlx::PgPool;

use crate::harness::{Cast, Cluster};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test]
async fn one_trace_follows_an_order_through_all_services() {
    let cluster = Cluster::start().await;
    let stage = cluster.stage.clone();
    let Cast { merchant, .. } = Cast::enter(&stage).await;
    let call = merchant.client.call(Method::POST, "/api/v1/orders").json(&merchant.cash_order());
    let placed =
        call.header("traceparent", &format!("00-{TRACE}-00f067aa0ba902b7-01")).send().await.expect(201);
    let answered = placed.header("traceparent").expect("the trace goes out again");
    assert_eq!(answered.split('-').nth(1), Some(TRACE));
    merchant.until_status(&placed.json(), "processing").await;

    for (service, fact) in [
        ("order", "quenty.order.order.placed.v1"),
        ("shipping", "quenty.shipping.shipment.booked.v1"),
        ("order", "quenty.order.order.pickup_requested.v1"),
        ("pickup", "quenty.pickup.pickup.scheduled.v1"),
        ("order", "quenty.order.order.processing_started.v1"),
    ] {
        assert_eq!(traces(&stage.pool(service), fact).await, [TRACE], "{fact}");
    }
    stage.assert_sound().await;
    cluster.stop().await;
}

async fn traces(db: &PgPool, fact: &str) -> Vec<String> {
    sqlx::query_scalar("select split_part(traceparent, '-', 2) from quenty.journal where type = $1")
        .bind(fact)
        .fetch_all(db)
        .await
        .expect("a journal")
}
