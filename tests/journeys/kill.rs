//! Promise 5 of design/conventions.md: killing any process at any moment loses nothing and doubles nothing.
//!
//! Hundreds of orders are under way while every process is killed again and again, the broker is killed and
//! PostgreSQL restarted. The people go on as people do: who gets no answer asks again, with the same key.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{StreamExt, stream};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::harness::{
    Cast, Cluster, Fleet, Merchant,
    cluster::Own,
    fleet::hand_over,
    merchant::{LETICIA, id},
};

/// Another one by `QUENTY_TEST_SEED`.
const SEED: u64 = 20_260_105;
const ORDERS: usize = 300;
/// Orders under way at once.
const IN_FLIGHT: usize = 24;
const KILLS_OF_EACH: usize = 10;
/// A cancellation has a longer way to Pickup than a start: in each race it gets so much more of a head start.
const HEAD_START: Duration = Duration::from_millis(40);
const PIECES_OF_EACH: usize = 2;
/// Longer than anything is away.
const PATIENCE: Duration = Duration::from_secs(90);
const PAUSE_MS: std::ops::Range<u64> = 200..1_600;

/// What is done to the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Blow {
    Kill(String),
    KillRabbit,
    RestartPostgres,
}

/// How an order ended, as its people saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Delivered,
    Cancelled,
    OnHold,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_doubled() {
    let mut cluster = Cluster::start_with(Own { rabbit: true, postgres: true }).await;
    let stage = cluster.stage.clone();
    let Cast { support, merchant, fleet, .. } = Cast::enter(&stage).await;
    merchant.pass_kyc(&stage, &support).await;
    let far = Merchant::open(&stage, &support, 2, LETICIA).await;
    let people = People {
        merchant: merchant.patient(PATIENCE),
        far: far.patient(PATIENCE),
        fleet: fleet.patient(PATIENCE),
    };

    let seed = seed();
    // Orders begin as the blows fall, so that there are some under way at each.
    let begun = Semaphore::new(IN_FLIGHT);
    let orders = stream::iter(0..ORDERS).map(async |number| {
        begun.acquire().await.expect("the gate stays").forget();
        people.see_through(number).await
    });
    let (blows, ends) = tokio::join!(
        strike(&mut cluster, &begun, seed),
        orders.buffer_unordered(IN_FLIGHT).collect::<Vec<(Value, End)>>()
    );
    cluster.is_ready().await;

    let report = stage.assert_sound().await;
    let counts = judge(&people, &ends).await;
    println!("seed {seed}: {ORDERS} orders, {counts:?}");
    println!("blows: {blows:?}");
    println!(
        "the checker: {} facts, {} deliveries, orders by status {:?}",
        report.facts, report.deliveries, report.orders_by_status
    );
    assert_eq!(report.orders, ORDERS as u64, "each order once, whatever was repeated");
    cluster.stop().await;
}

/// Every blow, in an order and at moments that the seed decides.
async fn strike(cluster: &mut Cluster, begun: &Semaphore, seed: u64) -> BTreeMap<String, usize> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut blows: Vec<Blow> =
        cluster.names().into_iter().flat_map(|name| vec![Blow::Kill(name); KILLS_OF_EACH]).collect();
    blows.shuffle(&mut random);
    blows.insert(blows.len() / 3, Blow::KillRabbit);
    blows.insert(blows.len() * 2 / 3, Blow::RestartPostgres);
    let share = (ORDERS - IN_FLIGHT).div_ceil(blows.len());
    let mut dealt = BTreeMap::new();
    for blow in blows {
        tokio::time::sleep(Duration::from_millis(random.random_range(PAUSE_MS))).await;
        match &blow {
            Blow::Kill(name) => {
                cluster.kill(name).await;
                cluster.launch(name);
            }
            Blow::KillRabbit => {
                cluster.kill_rabbit().await;
                cluster.start_rabbit().await;
            }
            Blow::RestartPostgres => cluster.postgres.as_mut().expect("a server of its own").restart().await,
        }
        *dealt.entry(format!("{blow:?}")).or_default() += 1;
        begun.add_permits(share);
    }
    dealt
}

fn seed() -> u64 {
    let given = std::env::var_os("QUENTY_TEST_SEED").and_then(|text| text.into_string().ok());
    given.map_or(SEED, |text| text.parse().expect("QUENTY_TEST_SEED is a number"))
}

struct People {
    merchant: Merchant,
    /// Sells from where nobody collects.
    far: Merchant,
    fleet: Fleet,
}

impl People {
    /// One order, to its end as far as people bring it there.
    async fn see_through(&self, number: usize) -> (Value, End) {
        let Self { merchant, far, .. } = self;
        let prepaid = number.is_multiple_of(2);
        let order = if prepaid { merchant.order() } else { merchant.cash_order() };
        match number % 20 {
            0 => {
                let order = merchant.place(&order).await;
                merchant.cancel(&order).await;
                (order, End::Cancelled)
            }
            1 => {
                self.race(
                    merchant.place(&order).await,
                    HEAD_START * u32::try_from(number / 20).expect("a small number"),
                )
                .await
            }
            2 => {
                let order = far.place(&far.order()).await;
                far.pay(&order).await;
                (order, End::OnHold)
            }
            3 => {
                let order = merchant.place(&order).await;
                let pickup = self.fleet.pickup_of(&order).await;
                self.fleet.drive_to(&pickup).await;
                self.fleet.step(&pickup, "fail", &json!({"code": "CLOSED"})).await;
                self.bring(order).await
            }
            4 => {
                let order = merchant.place(&merchant.order_abroad()).await;
                merchant.pay(&order).await;
                self.bring(order).await
            }
            _ => {
                let order = merchant.place(&order).await;
                if prepaid {
                    merchant.pay(&order).await;
                }
                self.bring(order).await
            }
        }
    }

    async fn bring(&self, order: Value) -> (Value, End) {
        self.fleet.collect(&order).await;
        let shipment = self.fleet.shipment_of(&order).await;
        self.fleet.deliver(&shipment).await;
        (order, End::Delivered)
    }

    /// The merchant cancels while the driver starts: one of them wins, and both sides agree which.
    async fn race(&self, order: Value, head_start: Duration) -> (Value, End) {
        let pickup = self.fleet.pickup_of(&order).await;
        self.fleet.assign(&pickup).await;
        let path = format!("/api/v1/pickups/{}/start", id(&pickup));
        let nothing = json!({});
        let start = async {
            tokio::time::sleep(head_start).await;
            self.fleet.driver.client.post(&path, &nothing).await
        };
        let (started, _) = tokio::join!(start, self.merchant.cancel(&order));
        if started.status() == 409 {
            return (order, End::Cancelled);
        }
        started.expect(200);
        self.fleet.step(&pickup, "complete", &hand_over()).await;
        let shipment = self.fleet.shipment_of(&order).await;
        self.fleet.deliver(&shipment).await;
        (order, End::Delivered)
    }
}

/// Every order is where its people left it, and the shelves hold what that means.
async fn judge(people: &People, ends: &[(Value, End)]) -> BTreeMap<End, usize> {
    let mut counts: BTreeMap<End, usize> = BTreeMap::new();
    for (order, end) in ends {
        let owner = if *end == End::OnHold { &people.far } else { &people.merchant };
        let path = format!("/api/v1/orders/{}", id(order));
        let seen = owner.client.get(&path).await.expect(200).json();
        let found = match (seen["status"].as_str(), &seen["on_hold"]) {
            (Some("delivered"), _) => End::Delivered,
            (Some("cancelled"), _) => End::Cancelled,
            (_, hold) if hold["reason"].is_string() => End::OnHold,
            _ => panic!("neither delivered nor cancelled nor on hold: {seen:#}"),
        };
        assert_eq!(found, *end, "{seen:#}");
        *counts.entry(found).or_default() += 1;
    }
    let pieces = |end| {
        i64::try_from(counts.get(&end).copied().unwrap_or(0) * PIECES_OF_EACH).expect("a number of pieces")
    };
    assert_eq!(people.merchant.stock().await, (1_000 - pieces(End::Delivered), 0));
    assert_eq!(people.far.stock().await, (1_000, pieces(End::OnHold)));
    counts
}
