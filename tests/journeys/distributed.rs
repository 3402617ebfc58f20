//! The platform as production would run it, on one machine: many processes behind nginx, two gateways, order twice, lists
//! from a replica. Under load each of what there are two is killed again and again, and nobody outside sees it.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use http::Method;
use nix::sys::signal::Signal;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::json;

use crate::{
    harness::{
        Cast, Distributed, Merchant, alone,
        merchant::{id, items},
        until,
    },
    journeys,
};

/// Another one by `QUENTY_TEST_SEED`.
const SEED: u64 = 20_260_105;
/// People at work at the same time.
const HANDS: usize = 6;
/// Who is killed, in this order: one of two at a time, and what only helps. The gateways leave a process that failed
/// alone for a second or two; so long it is not the other one's turn.
const VICTIMS: [&str; 9] = [
    "order-1",
    "gateway-2",
    "redis",
    "postgres-replica",
    "order-2",
    "consul",
    "gateway-1",
    "order-1",
    "gateway-2",
];
const PAUSE_MS: std::ops::Range<u64> = 700..2_000;
const WELL_LIMIT: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "seventeen processes on two cores: make test-distributed"]
async fn one_of_two_may_die_at_any_moment_and_nobody_outside_sees_it() {
    let _alone = alone().await;
    let Some(platform) = Distributed::start_after_a_failure().await else { return };
    let second = platform.second().await;
    assert!(second.contains("is in use by process"), "{second}");
    a_process_that_hangs_is_named(&platform).await;

    let stage = platform.stage.clone();
    let cast = Cast::enter(&stage).await;
    let merchant = cast.merchant.clone();
    merchant.receive(20_000).await;
    let other = Cast::after(&stage, Some(&cast)).await;
    journeys::door_to_door(&stage, other).await;

    let work = Work::default();
    let hands = (0..HANDS).map(|hand| work.order_and_look(&merchant, hand));
    tokio::join!(join_all(hands), async {
        strike(&platform).await;
        work.is_over.store(true, Ordering::Relaxed);
    });
    let placed = work.placed.load(Ordering::Relaxed);
    println!("{placed} orders while {} processes were killed", VICTIMS.len());
    assert!(placed > 10 * VICTIMS.len(), "there was load: {placed}");
    assert!(lists_from_the_replica(&platform).await > 0, "lists come from the replica");
    let report = stage.assert_sound().await;
    assert_eq!(report.orders, placed as u64 + 1, "each order once, whatever was sent again on the way");
    let (whole, told) = platform.audit().await;
    assert!(whole, "{told:#}");
    assert!(told["auth"]["checkpoints"]["checkpoints"].as_u64() > Some(0), "they are signed: {told:#}");

    // What was killed without warning recovers on its folder, and what ends in order leaves nothing.
    let platform = platform.kill_and_start().await;
    let stage = platform.stage.clone();
    stage.anyone().call(Method::GET, "/health").send().await.expect(200);
    assert_eq!(stage.assert_sound().await.orders, placed as u64 + 1);
    platform.stop().await;
}

/// The gateways may find the other one well.
async fn a_process_that_hangs_is_named(platform: &Distributed) {
    until(WELL_LIMIT, "all is well", async || platform.doctor().await.0.then_some(())).await;
    platform.signal("order-2", Signal::SIGSTOP);
    let (well, told) = platform.doctor().await;
    platform.signal("order-2", Signal::SIGCONT);
    let findings = told.as_array().expect("a list of findings").iter();
    let failing = findings.filter(|found| found["ok"] == false && found["service"] == "order");
    let failing: Vec<_> = failing.filter_map(|found| found["detail"].as_str()).collect();
    assert!(!well && failing.iter().any(|detail| detail.starts_with("order-2: process ")), "{told:#}");
    assert!(!failing.iter().any(|detail| detail.starts_with("order-1: ")), "{told:#}");
    is_well(platform, "order-2").await;
}

#[derive(Default)]
struct Work {
    placed: AtomicUsize,
    is_over: AtomicBool,
}

impl Work {
    /// Places one order after the other, and finds each in the list at once. Nobody asks again: any 5xx, and any
    /// connection that breaks off, is a failure.
    async fn order_and_look(&self, merchant: &Merchant, hand: usize) {
        for number in 0.. {
            if self.is_over.load(Ordering::Relaxed) {
                break;
            }
            let reference = format!("hand-{hand}-{number}");
            let mut order = merchant.cash_order();
            order["external_reference"] = json!(reference);
            let placed = merchant.place(&order).await;
            self.placed.fetch_add(1, Ordering::Relaxed);
            let path = format!("/api/v1/orders?external_reference={reference}");
            let listed = merchant.client.get(&path).await.expect(200).json();
            let found: Vec<_> = items(&listed).iter().map(id).collect();
            assert_eq!(found, [id(&placed)], "who has just ordered finds it");
            if number % 4 == 3 {
                merchant.cancel(&placed).await;
            }
        }
    }
}

async fn strike(platform: &Distributed) {
    let given = std::env::var_os("QUENTY_TEST_SEED").and_then(|text| text.into_string().ok());
    let seed = given.map_or(SEED, |text| text.parse().expect("QUENTY_TEST_SEED is a number"));
    let mut random = StdRng::seed_from_u64(seed);
    for victim in VICTIMS {
        tokio::time::sleep(Duration::from_millis(random.random_range(PAUSE_MS))).await;
        let before = platform.pids()[victim];
        platform.kill(victim);
        platform.until_replaced(victim, before).await;
        is_well(platform, victim).await;
        let told = platform.told();
        assert!(told.contains(&format!("{victim} (process {before}) ended")), "people are told: {told}");
        assert!(told.contains(&format!("{victim} runs again")), "people are told: {told}");
    }
}

/// Waits until it says so itself; a server that has been started again is well.
async fn is_well(platform: &Distributed, name: &str) {
    let what = format!("{name} is well");
    until(WELL_LIMIT, &what, async || match platform.ask(name, "/health/ready") {
        Some(call) => (call.try_send().await.ok()?.status() == 200).then_some(()),
        None => Some(()),
    })
    .await;
}

/// As both processes of Order count them since they were started.
async fn lists_from_the_replica(platform: &Distributed) -> u64 {
    let mut sum = 0;
    for name in ["order-1", "order-2"] {
        let told = platform.ask(name, "/metrics").expect("a process of the platform").send().await;
        let told = told.expect(200).text().to_owned();
        let lines = told
            .lines()
            .filter(|line| line.starts_with("quenty_list_reads_total") && line.contains("replica"));
        sum += lines
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .map(|count| count as u64)
            .sum::<u64>();
    }
    sum
}
