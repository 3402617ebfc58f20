//! Orders placed through the gateway of `quenty up`, durable, on 8 and 32 connections. The baseline is the same
//! work as plain statements by `pgbench`, on the same server, in rounds that take turns with ours.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use quenty_testkit::scratch_dir::ScratchDir;

use crate::{
    Effort,
    harness::{Merchant, Person, Stage, Up, merchant::BOGOTA},
    load::{Round, Shop},
    pgbench::Pgbench,
    report,
    samples::Samples,
};

const CONNECTIONS: [usize; 2] = [8, 32];

pub async fn measure(effort: Effort) -> Result<()> {
    let up = Up::durable(ScratchDir::new("quenty-bench-throughput")?).await;
    let products = effort.of(1_000, 100);
    eprintln!("  a merchant with {products} products …");
    let shop = open_shop(&up.stage, products).await?;
    let pgbench = Pgbench::prepare(&up, products)?;
    for connections in CONNECTIONS {
        measure_at(effort, connections, &up.stage, &shop, &pgbench).await?;
    }
    up.stop().await;
    Ok(())
}

async fn open_shop(stage: &Stage, products: usize) -> Result<Shop> {
    let admin = Person::administrator(stage).await;
    let support = admin.invite("support", "support@quenty.example").await.accept(stage).await;
    let merchant = Merchant::open(stage, &support, 1, BOGOTA).await;
    Shop::open(merchant, products).await
}

async fn measure_at(
    effort: Effort,
    connections: usize,
    stage: &Stage,
    shop: &Shop,
    pgbench: &Pgbench,
) -> Result<()> {
    let (warm_up, lasts) = (Duration::from_secs(effort.of(3, 1)), Duration::from_secs(effort.of(5, 2)));
    shop.place_orders(connections, warm_up).await?;
    pgbench.run(connections, warm_up)?;
    let (mut platform, mut plain) = (Totals::default(), Totals::default());
    for _ in 0..effort.of(4, 1) {
        let round = shop.place_orders(connections, lasts).await?;
        eprintln!("  {connections} connections: {:.0} orders/s", round.per_second());
        platform.add(round);
        // What the orders set going is not the baseline's to carry.
        let answered = Instant::now();
        stage.settle().await;
        eprintln!("  at rest {:.1} s later", answered.elapsed().as_secs_f64());
        let round = pgbench.run(connections, lasts)?;
        eprintln!("  {connections} connections: {:.0} transactions/s by pgbench", round.per_second());
        plain.add(round);
    }
    let name = format!("orders_{connections}_connections");
    report::tell(&name, "orders/s", platform.per_second()?, plain.per_second()?)?;
    report::tell_latency(&name, &platform.answered, &plain.answered)
}

#[derive(Default)]
struct Totals {
    answered: Samples,
    elapsed: Duration,
}

impl Totals {
    fn add(&mut self, round: Round) {
        self.answered.extend(round.answered);
        self.elapsed += round.elapsed;
    }

    fn per_second(&self) -> Result<f64> {
        let orders = u32::try_from(self.answered.len()).context("too many orders to count")?;
        Ok(f64::from(orders) / self.elapsed.as_secs_f64())
    }
}
