//! One trace follows an order through every process and every event (W3C Trace Context), and a collector sees it as one
//! tree (OTLP).

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use quenty_testkit::collector::{Collector, Seen};
use sqlx::PgPool;

use crate::harness::{Cast, Cluster, cluster::Own};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CLIENT: &str = "00f067aa0ba902b7";
/// What begins the ids of things, and what mail addresses have.
const PERSONAL_OR_MANY: [&str; 6] = ["ORD-", "SHIP-", "PU-", "COMP-", "USER-", "@"];

#[tokio::test]
async fn one_trace_follows_an_order_through_all_services() {
    let collector = Collector::start().await;
    let address = collector.url.trim_start_matches("http://").parse().expect("an address");
    let cluster = Cluster::start_with(Own { collector: Some(address), ..Own::default() }).await;
    let stage = cluster.stage.clone();
    let Cast { merchant, .. } = Cast::enter(&stage).await;
    let call = merchant.client.call(Method::POST, "/api/v1/orders").json(&merchant.cash_order());
    let placed = call.header("traceparent", &format!("00-{TRACE}-{CLIENT}-01")).send().await.expect(201);
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
    // Each process sends what it still has before it ends.
    cluster.stop().await;
    assert_one_tree(&collector.seen().await);
}

async fn traces(db: &PgPool, fact: &str) -> Vec<String> {
    sqlx::query_scalar("select split_part(traceparent, '-', 2) from quenty.journal where type = $1")
        .bind(fact)
        .fetch_all(db)
        .await
        .expect("a journal")
}

fn assert_one_tree(seen: &[Seen]) {
    let of_order: Vec<_> = seen.iter().filter(|span| span.trace == TRACE).collect();
    let by_id: BTreeMap<_, _> = of_order.iter().map(|span| (&*span.span, *span)).collect();
    assert_eq!(by_id.len(), of_order.len(), "no span is sent twice");
    let (within, roots): (Vec<&Seen>, Vec<&Seen>) =
        of_order.iter().copied().partition(|span| by_id.contains_key(&*span.parent));
    let [root] = roots.as_slice() else { panic!("one root: {roots:#?}\nof {within:#?}") };
    assert_eq!((&*root.service, &*root.name, &*root.parent), ("gateway", "POST /api/v1/orders", CLIENT));
    let services: BTreeSet<_> = of_order.iter().map(|span| &*span.service).collect();
    assert!(
        services.is_superset(&BTreeSet::from(["gateway", "order", "shipping", "pickup"])),
        "{services:?}"
    );

    for (hearer, event) in [
        ("shipping", "quenty.order.order.shipment_requested.v1"),
        ("pickup", "quenty.order.order.pickup_requested.v1"),
    ] {
        let process = format!("process {event}");
        let heard = of_order.iter().find(|span| span.service == hearer && span.name == process);
        let heard = heard.unwrap_or_else(|| panic!("{hearer} hears {event}: {of_order:#?}"));
        assert_eq!(heard.attributes["messaging.system"], "rabbitmq");
        let sent = by_id[&*heard.parent];
        assert_eq!((&*sent.service, &*sent.name), ("order", &*format!("send {event}")));
    }

    for span in seen {
        let told = span.attributes.values().chain([&span.name]);
        for text in told {
            let found = PERSONAL_OR_MANY.iter().find(|mark| text.contains(**mark));
            assert!(found.is_none(), "{text:?} is no template of ours: {span:#?}");
        }
        assert!(!span.name.is_empty(), "{span:#?}");
    }
}
