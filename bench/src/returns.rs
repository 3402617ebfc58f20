//! Returns opened through the gateway of `quenty up`, and returned units decided upon, durable, on 8 connections, each of
//! which has a delivered order of its own. The baseline is the order of `throughput` as plain statements by `pgbench`, on
//! the same server, right after each.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use quenty_testkit::scratch_dir::ScratchDir;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    Effort,
    harness::{
        Cast, Person, Up,
        counter::Counter,
        merchant::{Merchant, id},
    },
    load::Round,
    pgbench::Pgbench,
    report,
    samples::Samples,
};

const CONNECTIONS: usize = 8;
/// As many as one parcel holds.
const PIECES: u32 = 110;
const PRODUCTS: usize = 100;

pub async fn measure(effort: Effort) -> Result<()> {
    let up = Up::durable(ScratchDir::new("quenty-bench-returns")?).await;
    let Cast { merchant, fleet, .. } = Cast::enter(&up.stage).await;
    let admin = Person::administrator(&up.stage).await;
    let counter = Counter::new(&merchant, &fleet, &admin);
    let mut orders = Vec::new();
    for _ in 0..CONNECTIONS {
        orders.push(delivered(&merchant, &counter).await);
    }
    up.stage.settle().await;
    let pgbench = Pgbench::prepare(&up, PRODUCTS)?;
    let lasts = Duration::from_secs(effort.of(5, 2));
    pgbench.run(CONNECTIONS, lasts)?;

    let (opened, returns) = open(&counter, &orders, effort.of(100, 10)).await?;
    tell("returns_opened_8_connections", "returns/s", &opened, &pgbench.run(CONNECTIONS, lasts)?)?;
    up.stage.settle().await;

    let ready = inspected(&counter, returns, effort.of(40, 4)).await?;
    let decided = process(&counter, ready).await?;
    tell("dispositions_8_connections", "units/s", &decided, &pgbench.run(CONNECTIONS, lasts)?)?;
    up.stop().await;
    Ok(())
}

fn tell(name: &str, unit: &str, ours: &Round, plain: &Round) -> Result<()> {
    report::tell(name, unit, ours.per_second(), plain.per_second())?;
    report::tell_latency(name, &ours.answered, &plain.answered)
}

/// An order of many pieces, at its consignee.
async fn delivered(merchant: &Merchant, counter: &Counter) -> Value {
    let mut order = merchant.order();
    order["lines"] = json!([{"product_id": merchant.product, "quantity": PIECES}]);
    let order = merchant.place(&order).await;
    merchant.pay(&order).await;
    counter.fleet.collect(&order).await;
    let shipment = counter.fleet.shipment_of(&order).await;
    counter.fleet.deliver(&shipment).await;
    merchant.until_status(&order, "delivered").await
}

/// Each connection opens so many returns of its order, one piece each.
async fn open(counter: &Counter, orders: &[Value], times: usize) -> Result<(Round, Vec<Vec<Value>>)> {
    let (mut load, started) = (JoinSet::new(), Instant::now());
    for order in orders {
        let (client, wanted) = (counter.merchant.clone(), Counter::wanted(order, "drop_off"));
        load.spawn(async move {
            let (mut answered, mut opened) = (Samples::default(), Vec::new());
            for _ in 0..times {
                let sent = Instant::now();
                let answer = client.post("/api/v1/returns", &wanted).await;
                ensure!(answer.status() == 201, "a return was refused: {}", answer.text());
                answered.add(sent.elapsed());
                opened.push(answer.json());
            }
            Ok((answered, opened))
        });
    }
    let (mut round, mut returns) = (Round::default(), Vec::new());
    while let Some(done) = load.join_next().await {
        let (answered, opened) = done??;
        round.answered.extend(answered);
        returns.push(opened);
    }
    round.elapsed = started.elapsed();
    Ok((round, returns))
}

/// Brings so many returns of each connection as far as their inspection.
async fn inspected(counter: &Counter, returns: Vec<Vec<Value>>, times: usize) -> Result<Vec<Vec<String>>> {
    let mut work = JoinSet::new();
    for opened in returns {
        let desk = counter.fleet.dispatcher.client.clone();
        work.spawn(async move {
            let mut ready = Vec::new();
            for of in opened.iter().take(times) {
                let path = format!("/api/v1/returns/{}", id(of));
                let lines = json!({"lines": [{"line": 1, "quantity": 1}]});
                desk.post(&format!("{path}/receive"), &lines).await.expect(200);
                let found = json!({"units": [{"line": 1, "unit": 1, "condition": "good", "working": true,
                    "complete": true, "claim": "confirmed"}]});
                desk.post(&format!("{path}/inspection"), &found).await.expect(200);
                ready.push(format!("{path}/process"));
            }
            ready
        });
    }
    let mut ready = Vec::new();
    while let Some(paths) = work.join_next().await {
        ready.push(paths?);
    }
    Ok(ready)
}

async fn process(counter: &Counter, ready: Vec<Vec<String>>) -> Result<Round> {
    let (mut load, started) = (JoinSet::new(), Instant::now());
    for paths in ready {
        let client = counter.merchant.clone();
        load.spawn(async move {
            let mut answered = Samples::default();
            for path in paths {
                let sent = Instant::now();
                let answer = client.post(&path, &json!({})).await;
                ensure!(answer.status() == 200, "a return was not processed: {}", answer.text());
                answered.add(sent.elapsed());
            }
            Ok(answered)
        });
    }
    let mut round = Round::default();
    while let Some(answered) = load.join_next().await {
        round.answered.extend(answered??);
    }
    round.elapsed = started.elapsed();
    Ok(round)
}
