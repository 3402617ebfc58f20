//! A rolling deploy: the new version has told the broker what it hears, and replicas of the old one still run.

use quenty_kernel::id::CompanyId;
use quenty_platform::{bus::rabbit::RabbitBus, erasure::Traces};

use crate::{
    faults::Fault,
    tally::{self, CONSUMERS, CounterId, LEDGER, TALLY, add, rename},
    waiting::until,
    world::{Plan, World},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_old_replicas_do_not_hear_yet_is_kept_for_the_new_ones() {
    let world = World::rabbit().await;
    let bus = RabbitBus::connect_lazily(world.plan.amqp_url.as_ref().expect("a URL"), tally::topology());
    bus.declare().await.expect("the topology of the new version");
    let old = Plan { old: true, ..world.plan.clone() };
    let publisher = old.start(&[TALLY], &world.faults).await;
    let consumers = old.start(&CONSUMERS, &world.faults).await;
    let counter = CounterId::new();
    add(&publisher.app(TALLY), counter).await;
    rename(&publisher.app(TALLY), counter).await;
    add(&publisher.app(TALLY), counter).await;
    // The old version would have passed it by: it holds up nothing.
    world.until_effects(counter, &[1, 3]).await;
    let inbox = until("all three are stored", || world.inbox(LEDGER, counter), |rows| rows.len() == 3).await;
    assert_eq!(inbox[1], ("unheard".to_owned(), 0));
    consumers.stop().await;

    // These come to the new version itself, which looks for what was kept a while later: they wait behind it.
    rename(&publisher.app(TALLY), counter).await;
    add(&publisher.app(TALLY), counter).await;
    let slow = Plan { retry_pause_ms: 600_000, ..world.plan.clone() };
    let consumers = slow.start(&CONSUMERS, &world.faults).await;
    world.until_effects(counter, &[1, 3, 2, 4, 5]).await;
    world.finish([publisher, consumers]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_newer_version_left_waiting_holds_up_nothing_of_the_one_before() {
    let world = World::rabbit().await;
    let bus = RabbitBus::connect_lazily(world.plan.amqp_url.as_ref().expect("a URL"), tally::topology());
    bus.declare().await.expect("the topology of the new version");
    let (counter, erased) = (CounterId::new(), CounterId::new());
    for counter in [counter, erased] {
        world.faults[LEDGER].put(counter, 2, Fault::Times(1));
    }
    let patient = Plan { retry_pause_ms: 600_000, ..world.plan.clone() };
    let new = patient.start(&CONSUMERS, &world.faults).await;
    let publisher = world.start(&[TALLY]).await;
    let waits = |rows: &Vec<(String, i32)>| rows.iter().map(|row| row.0.as_str()).eq(["done", "waiting"]);
    for counter in [counter, erased] {
        add(&publisher.app(TALLY), counter).await;
        rename(&publisher.app(TALLY), counter).await;
        until("its reaction has failed", || world.inbox(LEDGER, counter), waits).await;
    }
    new.stop().await;

    let old = Plan { old: true, ..world.plan.clone() };
    let consumers = old.start(&CONSUMERS, &world.faults).await;
    add(&publisher.app(TALLY), counter).await;
    until("the old version goes on", || world.effects(LEDGER, counter), |seen| *seen == [1, 3]).await;
    let is_set_aside = |rows: &Vec<(String, i32)>| rows.get(1) == Some(&("unheard".to_owned(), 1));
    for counter in [counter, erased] {
        until("nobody waits for the other", || world.inbox(LEDGER, counter), is_set_aside).await;
    }
    let mut tx = tally::begin(&consumers.app(LEDGER)).await;
    let traces = Traces { streams: Vec::new(), about: vec![erased.to_string()], erased: Vec::new() };
    let stripped = tx.erase_personal(CounterId::new(), CompanyId::new(), &traces, |_| Ok(())).await;
    assert_eq!(stripped.expect("what is not heard here stands in no way"), 0);
    tx.commit().await.expect("a commit");
    consumers.stop().await;

    let due = sqlx::query("update quenty.inbox set next_at = now() where status = 'unheard'");
    assert_eq!(due.execute(world.db(LEDGER)).await.expect("an update").rows_affected(), 1);
    let consumers = world.start(&CONSUMERS).await;
    until("the new version catches up", || world.effects(LEDGER, counter), |seen| *seen == [1, 3, 2]).await;
    assert_eq!(world.effects(LEDGER, erased).await, [1]);
    world.finish([publisher, consumers]).await;
}
