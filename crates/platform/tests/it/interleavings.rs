//! Random histories against a model: whatever fails, comes twice or restarts in between, each consumer ends with
//! every event of every stream, once, in order, less what an operator discarded.

use std::collections::{BTreeMap, BTreeSet};

use quenty_platform::{App, operate};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use tokio::task::JoinSet;

use crate::{
    faults::Fault,
    on_both_buses,
    tally::{self, Added, CONSUMERS, CounterId, Noted, TALLY, Unheard, add, rename},
    waiting::until,
    world::{Node, World},
};

on_both_buses! {
    history_1,
    history_2,
    history_3,
}

async fn history_1(world: World) {
    run(world, 1).await;
}
async fn history_2(world: World) {
    run(world, 2).await;
}
async fn history_3(world: World) {
    run(world, 3).await;
}

const STREAMS: usize = 6;
const STEPS: usize = 25;
const WRITES_A_STEP: usize = 6;

/// What a consumer must end with.
#[derive(Default)]
struct Model {
    heard: BTreeMap<CounterId, i64>,
    discarded: BTreeMap<&'static str, BTreeSet<(CounterId, i64)>>,
}

impl Model {
    fn expected(&self, service: &str, counter: CounterId) -> Vec<i64> {
        let gone = |n: &i64| self.discarded.get(service).is_some_and(|set| set.contains(&(counter, *n)));
        (1..=self.heard.get(&counter).copied().unwrap_or(0)).filter(|n| !gone(n)).collect()
    }
}

async fn run(world: World, seed: u64) {
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let counters: Vec<CounterId> = (0..STREAMS).map(|_| CounterId::new()).collect();
    sow_faults(&world, &counters, &mut random);
    let publisher = world.start(&[TALLY]).await;
    let mut consumers = world.start(&CONSUMERS).await;
    let mut model = Model::default();
    for step in 0..STEPS {
        write_some(&publisher.app(TALLY), &counters, &mut random, &mut model).await;
        if random.random_bool(0.4) {
            deliver_again(&world, &publisher, &counters, &mut random).await;
        }
        if step % 8 == 7 {
            consumers.stop().await;
            consumers = world.start(&CONSUMERS).await;
        }
    }
    settle(&world, &mut random, &mut model).await;
    for service in CONSUMERS {
        for counter in &counters {
            world.until_effects_of(service, *counter, &model.expected(service, *counter)).await;
        }
    }
    world.finish([publisher, consumers]).await;
}

/// Some reactions fail a few times, some panic, and one per service fails for good.
fn sow_faults(world: &World, counters: &[CounterId], random: &mut StdRng) {
    for service in CONSUMERS {
        let put = |counter: CounterId, n: i64, fault| world.faults[service].put(counter, n, fault);
        for counter in counters {
            for n in 1..20 {
                match random.random_range(0..20) {
                    0 => put(*counter, n, Fault::Times(random.random_range(1..4))),
                    1 => put(*counter, n, Fault::Panic),
                    _ => {}
                }
            }
        }
        put(counters[random.random_range(0..counters.len())], random.random_range(1..4), Fault::UntilHealed);
    }
}

async fn write_some(app: &App, counters: &[CounterId], random: &mut StdRng, model: &mut Model) {
    let mut writes = JoinSet::new();
    for _ in 0..WRITES_A_STEP {
        let (app, counter) = (app.clone(), *counters.choose(random).expect("a counter"));
        let kind = random.random_range(0..10);
        if kind < 7 {
            *model.heard.entry(counter).or_default() += 1;
        }
        writes.spawn(async move {
            match kind {
                0..5 => drop(add(&app, counter).await),
                5..7 => drop(rename(&app, counter).await),
                7 => commit_silent(&app, counter).await,
                _ => {
                    let mut tx = tally::begin(&app).await;
                    let n = tally::next(&mut tx, counter).await;
                    tally::record(&mut tx, counter, Added { n });
                }
            }
        });
    }
    writes.join_all().await;
}

/// Facts that the consumers never hear: gaps in the versions of the stream.
async fn commit_silent(app: &App, counter: CounterId) {
    let mut tx = tally::begin(app).await;
    tally::lock(&mut tx, counter).await;
    tally::record(&mut tx, counter, Noted {});
    tally::record(&mut tx, counter, Unheard {});
    tx.commit().await.expect("a commit");
}

/// A lost confirm makes the relay send again what both consumers have taken in already.
async fn deliver_again(world: &World, publisher: &Node, counters: &[CounterId], random: &mut StdRng) {
    let counter = *counters.choose(random).expect("a counter");
    let taken_in =
        futures_util::future::join_all(CONSUMERS.map(|service| world.inbox(service, counter))).await;
    let first = taken_in.iter().map(Vec::len).min().unwrap_or(0);
    let heard =
        |envelope: &quenty_kernel::Envelope| tally::topology().listeners(&envelope.kind).next().is_some();
    let envelopes: Vec<_> = world.envelopes(counter).await.into_iter().filter(heard).take(first).collect();
    if let Some(envelope) = envelopes.choose(random) {
        publisher.bus.publish(std::slice::from_ref(envelope)).await;
    }
}

/// Waits until only the poisoned events stand in the way, then replays or discards each of them.
async fn settle(world: &World, random: &mut StdRng, model: &mut Model) {
    for service in CONSUMERS {
        let poisoned =
            until("the poisoned event is dead", || world.dead_letters(service), |dead| !dead.is_empty())
                .await;
        assert_eq!(poisoned.len(), 1, "{service}: one poison, one dead letter");
        let dead = &poisoned[0];
        let n =
            dead.content.as_ref().and_then(|envelope| envelope["data"]["n"].as_i64()).expect("a heard event");
        if random.random_bool(0.5) {
            world.faults[service].heal();
            operate::replay(world.db(service), dead.id).await.expect("a dead letter");
        } else {
            operate::discard(world.db(service), dead.id).await.expect("a dead letter");
            let counter = dead.subject.parse().expect("the id of a counter");
            model.discarded.entry(service).or_default().insert((counter, n));
        }
    }
}
