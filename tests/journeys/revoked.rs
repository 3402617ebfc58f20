//! Who logged out is a stranger everywhere a moment later, though the access token would live for a quarter of an hour.

use std::time::{Duration, Instant};

use quenty_platform::client::Transport;
use quenty_testkit::http::Call;
use serde_json::json;

use crate::harness::{Cast, Cluster, cluster::GATEWAY, services, until};

/// Promised is a second; the rest is for a machine that is busy.
const LIMIT: Duration = Duration::from_secs(4);

#[tokio::test]
async fn a_session_that_ended_has_no_token_at_any_process() {
    let mut cluster = Cluster::start().await;
    let stage = cluster.stage.clone();
    let Cast { merchant, .. } = Cast::enter(&stage).await;
    // An operation of each service that any merchant may read.
    let reads = [
        ("auth", "/api/v1/profile"),
        ("customer", "/api/v1/customers"),
        ("order", "/api/v1/orders"),
        ("pickup", "/api/v1/pickups"),
        ("shipping", "/api/v1/shipments"),
        ("returns", "/api/v1/returns"),
    ];
    assert_eq!(reads.len(), services().len(), "every service");
    let token = merchant.client.token().to_owned();
    let read = async |name: &str, path: &str| {
        let url = format!("{}{path}", cluster.url(name));
        Call::new(Transport::default(), http::Method::GET, url).token(&token).send().await
    };
    for (service, path) in reads {
        read(service, path).await.expect(200);
        read(GATEWAY, path).await.expect(200);
    }

    merchant.client.post("/api/v1/auth/logout-all", &json!({})).await.expect(204);
    let ended = Instant::now();
    for (service, path) in reads {
        for name in [service, GATEWAY] {
            until(LIMIT, &format!("{name} knows"), async || {
                (read(name, path).await.code() == "TOKEN_REVOKED").then_some(())
            })
            .await;
        }
    }
    assert!(ended.elapsed() < LIMIT, "{:?}", ended.elapsed());

    // A process that starts anew believes nothing before it has read what is revoked.
    cluster.kill("order").await;
    cluster.kill("auth").await;
    cluster.launch("order");
    let order = format!("{}/api/v1/orders", cluster.url("order"));
    let told = until(Duration::from_secs(30), "Order answers", async || {
        let call = Call::new(Transport::default(), http::Method::GET, order.clone()).token(&token);
        call.try_send().await.ok().filter(|answer| answer.code() != "STARTING")
    })
    .await;
    told.expect_problem(503, "KEYS_UNAVAILABLE");
    cluster.launch("auth");
    cluster.is_ready().await;
    let refused = Call::new(Transport::default(), http::Method::GET, order).token(&token).send().await;
    refused.expect_problem(401, "TOKEN_REVOKED");
    stage.assert_sound().await;
    cluster.stop().await;
}
