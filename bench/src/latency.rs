//! From the answer to `POST /orders` until Pickup shows the pickup: three events on their way through Order,
//! Shipping and Pickup. The baseline is one request of the kind that looks for the pickup, which is also how
//! finely the moment is seen.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use quenty_testkit::scratch_dir::ScratchDir;
use serde_json::Value;

use crate::{
    Effort,
    harness::{Cast, Client, Cluster, Stage, Up, cluster::Own, merchant::id},
    report,
    samples::Samples,
};

const LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(1);

/// All in one process, on the local bus.
pub async fn local(effort: Effort) -> Result<()> {
    let up = Up::durable(ScratchDir::new("quenty-bench-latency")?).await;
    measure(effort, "order_to_pickup_local", &up.stage).await?;
    up.stop().await;
    Ok(())
}

/// A process per service, on RabbitMQ; the database is one with `fsync`, as on the local bus.
pub async fn rabbitmq(effort: Effort) -> Result<()> {
    let cluster = Cluster::start_with(Own { postgres: true, ..Own::default() }).await;
    measure(effort, "order_to_pickup_rabbitmq", &cluster.stage).await?;
    cluster.stop().await;
    Ok(())
}

async fn measure(effort: Effort, name: &str, stage: &Stage) -> Result<()> {
    let cast = Cast::enter(stage).await;
    let (warm_up, rounds) = (effort.of(10, 2), effort.of(200, 10));
    let (mut latencies, mut round_trips) = (Samples::default(), Samples::default());
    for round in 0..warm_up + rounds {
        let order = cast.merchant.place(&cast.merchant.cash_order()).await;
        let answered = Instant::now();
        wait_for_pickup(&cast.fleet.dispatcher.client, &order).await?;
        let latency = answered.elapsed();
        let sent = Instant::now();
        look_for_pickup(&cast.fleet.dispatcher.client, &order).await;
        let round_trip = sent.elapsed();
        if round >= warm_up {
            latencies.add(latency);
            round_trips.add(round_trip);
        }
        // What follows the booking ends first. Uneven, so that no poll of the platform falls into step with us.
        tokio::time::sleep(Duration::from_millis(60 + round * 37 % 100)).await;
    }
    report::tell_latency(name, &latencies, &round_trips)
}

async fn wait_for_pickup(dispatcher: &Client, order: &Value) -> Result<()> {
    let started = Instant::now();
    while !look_for_pickup(dispatcher, order).await {
        ensure!(started.elapsed() < LIMIT, "no pickup of order {} within {LIMIT:?}", id(order));
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

async fn look_for_pickup(dispatcher: &Client, order: &Value) -> bool {
    let listed = dispatcher.get(&format!("/api/v1/pickups?order_id={}", id(order))).await.expect(200).json();
    listed["items"].as_array().is_some_and(|pickups| !pickups.is_empty())
}
