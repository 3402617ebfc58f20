//! Promise 5 of design/conventions.md: killing any process at any moment loses nothing and doubles nothing.
//!
//! Orders are under way while every process is killed again and again, the broker is killed and PostgreSQL restarted.
//! The people go on as people do: who gets no answer asks again, with the same key. So it goes for processes that
//! somebody starts again, and for those that `quenty up --distributed` looks after itself.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use http::Method;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::{
    erased::{ask_to_erase, assert_nothing_is_left, place_for_eva},
    harness::{
        Cast, Cluster, Distributed, Fleet, Merchant, Person, Stage, alone,
        cluster::Own,
        counter::Counter,
        fleet::hand_over,
        merchant::{LETICIA, id},
        until,
    },
};

/// Another one by `QUENTY_TEST_SEED`.
const SEED: u64 = 20_260_105;
/// What is promised.
const WHOLE: Scale = Scale { orders: 300, kills_of_each: 10 };
/// What two cores do in half a minute.
const SMALL: Scale = Scale { orders: 40, kills_of_each: 2 };
/// Of so many more processes, each of which is back before the next blow.
const MANY: Scale = Scale { orders: 150, kills_of_each: 2 };
/// People at work at the same time.
const HANDS: usize = 24;
/// A cancellation has a longer way to Pickup than a start: in each race it gets so much more of a head start.
const HEAD_START: Duration = Duration::from_millis(40);
const PIECES_OF_EACH: usize = 2;
/// Whose buyer wants to be erased as soon as it is placed: that waits for its end.
const ERASED: usize = 5;
/// Longer than anything is away.
const PATIENCE: Duration = Duration::from_secs(90);
const PAUSE_MS: std::ops::Range<u64> = 50..1_000;
/// The longest time without a blow.
const LULL: Duration = Duration::from_secs(3);

#[derive(Debug, Clone, Copy)]
struct Scale {
    orders: usize,
    /// Broker and database go once.
    kills_of_each: usize,
}

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
    /// Delivered, and one piece came back.
    Returned,
    Cancelled,
    OnHold,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_doubled() {
    under_blows(SMALL).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes three minutes of two cores: make test-distributed"]
async fn nothing_of_three_hundred_orders_is_lost_and_nothing_doubled() {
    under_blows(WHOLE).await;
}

async fn under_blows(scale: Scale) {
    let _alone = alone().await;
    let mut cluster = Cluster::start_with(Own { rabbit: true, postgres: true, ..Own::default() }).await;
    let stage = cluster.stage.clone();
    go_on_under_blows(&mut cluster, &stage, scale).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "seventeen processes on two cores: make test-distributed"]
async fn nothing_is_lost_and_nothing_doubled_of_many_processes() {
    let _alone = alone().await;
    let Some(mut platform) = Distributed::start().await else { return };
    let stage = platform.stage.clone();
    go_on_under_blows(&mut platform, &stage, MANY).await;
    platform.stop().await;
}

/// What can be killed, and runs again some time later.
trait Mortal {
    /// All but broker and database.
    fn names(&self) -> Vec<String>;
    async fn kill(&mut self, name: &str);
    async fn kill_rabbit(&mut self);
    async fn restart_postgres(&mut self);
    async fn is_ready(&self);
}

impl Mortal for Cluster {
    fn names(&self) -> Vec<String> {
        self.names()
    }

    async fn kill(&mut self, name: &str) {
        self.kill(name).await;
        self.launch(name);
    }

    async fn kill_rabbit(&mut self) {
        self.kill_rabbit().await;
        self.start_rabbit().await;
    }

    async fn restart_postgres(&mut self) {
        self.postgres.as_mut().expect("a server of its own").restart().await;
    }

    async fn is_ready(&self) {
        self.is_ready().await;
    }
}

impl Mortal for Distributed {
    fn names(&self) -> Vec<String> {
        self.pids().into_keys().filter(|name| !matches!(name.as_str(), "rabbitmq" | "postgres")).collect()
    }

    async fn kill(&mut self, name: &str) {
        let before = self.pids()[name];
        Self::kill(self, name);
        self.until_replaced(name, before).await;
    }

    async fn kill_rabbit(&mut self) {
        Mortal::kill(self, "rabbitmq").await;
    }

    async fn restart_postgres(&mut self) {
        Mortal::kill(self, "postgres").await;
    }

    async fn is_ready(&self) {
        let anyone = self.stage.anyone();
        until(PATIENCE, "the platform is ready", async || {
            let health = anyone.call(Method::GET, "/health").try_send().await.ok()?;
            (health.status() == 200).then_some(())
        })
        .await;
    }
}

async fn go_on_under_blows(platform: &mut impl Mortal, stage: &Stage, scale: Scale) {
    let Cast { support, merchant, fleet, .. } = Cast::enter(stage).await;
    merchant.pass_kyc(stage, &support).await;
    let far = Merchant::open(stage, &support, 2, LETICIA).await;
    let admin = Person::administrator(stage).await;
    let people = People {
        merchant: merchant.patient(PATIENCE),
        far: far.patient(PATIENCE),
        fleet: fleet.patient(PATIENCE),
        counter: Counter::new(
            &merchant.patient(PATIENCE),
            &fleet.patient(PATIENCE),
            &admin.patient(PATIENCE),
        ),
        hands: Semaphore::new(HANDS),
    };

    let seed = seed();
    let progress = Progress { orders: scale.orders, ..Progress::default() };
    let orders = stream::iter(0..scale.orders).map(async |number| {
        let order = people.place(number).await;
        progress.placed.fetch_add(1, Ordering::Relaxed);
        let end = people.finish(number, &order).await;
        progress.finished.fetch_add(1, Ordering::Relaxed);
        (order, end)
    });
    let (blows, ends) = tokio::join!(
        strike(platform, &progress, scale, seed),
        orders.buffer_unordered(scale.orders).collect::<Vec<(Value, End)>>()
    );
    platform.is_ready().await;

    let report = stage.assert_sound().await;
    let counts = judge(&people, &ends).await;
    assert_erased(stage, &people).await;
    println!("seed {seed}: {} orders, {counts:?}", scale.orders);
    println!("blows: {:?}; orders under way at each: {:?}", blows.dealt, blows.open);
    println!(
        "the checker: {} facts, {} deliveries, orders by status {:?}",
        report.facts, report.deliveries, report.orders_by_status
    );
    blows.assert_all_fell(&platform.names(), scale);
    assert_eq!(report.orders, scale.orders as u64, "each order once, whatever was repeated");
}

/// How far the people have come. They place all orders first, so that hundreds are under way at once.
#[derive(Default)]
struct Progress {
    orders: usize,
    placed: AtomicUsize,
    finished: AtomicUsize,
}

impl Progress {
    fn open(&self) -> usize {
        self.placed.load(Ordering::Relaxed) - self.finished.load(Ordering::Relaxed)
    }

    /// Waits until this share of all that is to be done is done, but not for ever: blows hold the people up.
    async fn reaches(&self, share: usize, of: usize) {
        let started = Instant::now();
        let done = || self.placed.load(Ordering::Relaxed) + self.finished.load(Ordering::Relaxed);
        while done() * of < 2 * self.orders * share && started.elapsed() < LULL {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[derive(Default)]
struct Blows {
    dealt: BTreeMap<String, usize>,
    /// Orders under way at each.
    open: Vec<usize>,
}

impl Blows {
    /// Each process so many times, broker and database once, and orders were under way at each.
    fn assert_all_fell(&self, victims: &[String], scale: Scale) {
        for victim in victims {
            let times = self.dealt.get(&format!("{:?}", Blow::Kill(victim.clone()))).copied().unwrap_or(0);
            assert!(times >= scale.kills_of_each, "{victim} was killed {times} times");
        }
        for server in [Blow::KillRabbit, Blow::RestartPostgres] {
            assert_eq!(self.dealt.get(&format!("{server:?}")), Some(&1), "{server:?}");
        }
        // The first may fall before anybody has ordered.
        assert!(!self.open[1..].contains(&0), "orders are under way at each blow: {:?}", self.open);
    }
}

/// Every blow, in an order and at moments that the seed decides.
async fn strike(platform: &mut impl Mortal, progress: &Progress, scale: Scale, seed: u64) -> Blows {
    let mut random = StdRng::seed_from_u64(seed);
    let victims = platform.names();
    let kills = |name: &String| vec![Blow::Kill(name.clone()); scale.kills_of_each];
    let mut coming: Vec<Blow> = victims.iter().flat_map(kills).collect();
    coming.shuffle(&mut random);
    coming.insert(coming.len() / 3, Blow::KillRabbit);
    coming.insert(coming.len() * 2 / 3, Blow::RestartPostgres);
    let all = coming.len() + 1;
    let mut blows = Blows::default();
    for (number, blow) in coming.into_iter().enumerate() {
        progress.reaches(number, all).await;
        tokio::time::sleep(Duration::from_millis(random.random_range(PAUSE_MS))).await;
        blows.open.push(progress.open());
        match &blow {
            Blow::Kill(name) => platform.kill(name).await,
            Blow::KillRabbit => platform.kill_rabbit().await,
            Blow::RestartPostgres => platform.restart_postgres().await,
        }
        *blows.dealt.entry(format!("{blow:?}")).or_default() += 1;
    }
    blows
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
    counter: Counter,
    hands: Semaphore,
}

impl People {
    async fn place(&self, number: usize) -> Value {
        let _hand = self.hands.acquire().await.expect("hands stay");
        let Self { merchant, far, .. } = self;
        match number % 20 {
            2 => far.place(&far.cash_order()).await,
            4 => merchant.place(&merchant.order_abroad()).await,
            _ if number == ERASED => {
                let order = place_for_eva(merchant, merchant.cash_order()).await;
                ask_to_erase(merchant, &order).await;
                order
            }
            _ if is_prepaid(number) => merchant.place(&merchant.order()).await,
            _ => merchant.place(&merchant.cash_order()).await,
        }
    }

    /// What people do with a placed order, until there is nothing left for them to do.
    async fn finish(&self, number: usize, order: &Value) -> End {
        let _hand = self.hands.acquire().await.expect("hands stay");
        if is_prepaid(number) {
            self.merchant.pay(order).await;
        }
        match number % 20 {
            0 => {
                self.merchant.cancel(order).await;
                End::Cancelled
            }
            1 => self.race(order, HEAD_START * u32::try_from(number / 20).expect("a small number")).await,
            2 => End::OnHold,
            3 => {
                let pickup = self.fleet.pickup_of(order).await;
                self.fleet.drive_to(&pickup).await;
                self.fleet.step(&pickup, "fail", &json!({"code": "CLOSED"})).await;
                self.bring(order).await
            }
            7 => self.bring_back(order, "pickup").await,
            8 => self.bring_back(order, "drop_off").await,
            _ => self.bring(order).await,
        }
    }

    async fn bring(&self, order: &Value) -> End {
        self.fleet.collect(order).await;
        let shipment = self.fleet.shipment_of(order).await;
        self.fleet.deliver(&shipment).await;
        End::Delivered
    }

    /// Delivered, and one of the two pieces comes back.
    async fn bring_back(&self, order: &Value, way_back: &str) -> End {
        self.bring(order).await;
        let asked = self.counter.request(&Counter::wanted(order, way_back)).await;
        if way_back == "pickup" {
            self.counter.collect(&asked).await;
        }
        self.counter.settle(&asked).await;
        End::Returned
    }

    /// The merchant cancels while the driver starts: one of them wins, and both sides agree which.
    async fn race(&self, order: &Value, head_start: Duration) -> End {
        let pickup = self.fleet.pickup_of(order).await;
        self.fleet.assign(&pickup).await;
        let path = format!("/api/v1/pickups/{}/start", id(&pickup));
        let start = async {
            tokio::time::sleep(head_start).await;
            self.fleet.driver.client.post(&path, &json!({})).await
        };
        let (started, _) = tokio::join!(start, self.merchant.cancel(order));
        if started.status() == 409 {
            return End::Cancelled;
        }
        started.expect(200);
        self.fleet.step(&pickup, "complete", &hand_over()).await;
        let shipment = self.fleet.shipment_of(order).await;
        self.fleet.deliver(&shipment).await;
        End::Delivered
    }
}

/// The one request that somebody made went on by itself, whatever was killed.
async fn assert_erased(stage: &Stage, people: &People) {
    let asked = people.merchant.client.get("/api/v1/privacy-requests").await.expect(200).json();
    let asked = asked["items"].as_array().expect("a list");
    assert_eq!(asked.len(), 1, "{asked:#?}");
    assert_nothing_is_left(stage, &people.merchant, &format!("/api/v1/privacy-requests/{}", id(&asked[0])))
        .await;
}

/// Odd ones are paid at the door, and so is the one that nobody collects.
fn is_prepaid(number: usize) -> bool {
    number.is_multiple_of(2) && number % 20 != 2
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
            (Some("partially_returned"), _) => End::Returned,
            (Some("cancelled"), _) => End::Cancelled,
            (_, hold) if hold["reason"].is_string() => End::OnHold,
            _ => panic!("neither delivered nor returned nor cancelled nor on hold: {seen:#}"),
        };
        assert_eq!(found, *end, "{seen:#}");
        *counts.entry(found).or_default() += 1;
    }
    let pieces = |end| {
        i64::try_from(counts.get(&end).copied().unwrap_or(0) * PIECES_OF_EACH).expect("a number of pieces")
    };
    // Of what came back one piece lies on the shelf again, like new.
    let gone = pieces(End::Delivered) + pieces(End::Returned) / 2;
    assert_eq!(people.merchant.stock().await, (1_000 - gone, 0));
    assert_eq!(people.far.stock().await, (1_000, pieces(End::OnHold)));
    counts
}
