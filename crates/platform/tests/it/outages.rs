//! Databases that are away, processes that are killed, a broker that dies: nothing is lost and nothing doubled.

use std::time::Duration;

use tokio::task::JoinSet;

use crate::{
    faults::Fault,
    on_both_buses,
    proxy::Proxy,
    replica::Replica,
    tally::{ALL, CONSUMERS, CounterId, LEDGER, MIRROR, TALLY, add, begin},
    waiting::until,
    world::World,
};

on_both_buses! {
    a_consumer_without_its_database_stops_and_resumes,
    a_consumer_whose_disk_is_full_stops_and_resumes,
    one_stuck_listener_does_not_keep_the_others_waiting,
    killed_processes_lose_nothing_and_double_nothing,
    a_service_that_ends_and_starts_again_goes_on,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_gone_without_a_word_does_not_keep_the_pool() {
    let mut world = World::local().await;
    let (mut cable, url) = Proxy::before(&world.plan.database_urls[TALLY]).await;
    world.plan.database_urls.insert(TALLY.to_owned(), url);
    let node = world.start(&[TALLY]).await;
    let app = node.app(TALLY);
    let mut under_way = Vec::new();
    for _ in 0..app.db().options().get_max_connections() {
        under_way.push(begin(&app).await);
    }
    cable.freeze();
    // Whoever waited has given up.
    drop(under_way);
    let added = tokio::time::timeout(Duration::from_secs(30), add(&app, CounterId::new()));
    assert_eq!(added.await.expect("new connections are made"), 1);
    cable.cut().await;
    node.stop().await;
}

async fn a_consumer_without_its_database_stops_and_resumes(mut world: World) {
    let (mut cable, url) = Proxy::before(&world.plan.database_urls[LEDGER]).await;
    world.plan.database_urls.insert(LEDGER.to_owned(), url);
    let node = world.start(&ALL).await;
    let counters: Vec<CounterId> = (0..6).map(|_| CounterId::new()).collect();
    for counter in &counters {
        add(&node.app(TALLY), *counter).await;
        world.until_effects(*counter, &[1]).await;
    }
    cable.cut().await;
    for counter in &counters {
        add(&node.app(TALLY), *counter).await;
        add(&node.app(TALLY), *counter).await;
    }
    // The other service does not feel it.
    for counter in &counters {
        until("the mirror flows on", || world.effects(MIRROR, *counter), |seen| seen.starts_with(&[1, 2]))
            .await;
        assert_eq!(world.effects(LEDGER, *counter).await, [1]);
    }
    cable.restore().await;
    for counter in &counters {
        world.until_effects(*counter, &[1, 2, 3]).await;
        // It waited; it did not fail.
        assert!(world.inbox(LEDGER, *counter).await.iter().all(|row| *row == ("done".to_owned(), 0)));
    }
    world.finish([node]).await;
}

async fn a_consumer_whose_disk_is_full_stops_and_resumes(world: World) {
    let counter = CounterId::new();
    world.faults[LEDGER].put(counter, 1, Fault::FullDisk(3));
    let node = world.start(&ALL).await;
    for _ in 0..2 {
        add(&node.app(TALLY), counter).await;
    }
    world.until_effects(counter, &[1, 2]).await;
    // It waited; it did not fail.
    assert!(world.inbox(LEDGER, counter).await.iter().all(|row| *row == ("done".to_owned(), 0)));
    world.finish([node]).await;
}

async fn one_stuck_listener_does_not_keep_the_others_waiting(mut world: World) {
    /// More than the relay takes in one batch.
    const STREAMS: usize = 300;
    let (mut cable, url) = Proxy::before(&world.plan.database_urls[LEDGER]).await;
    world.plan.database_urls.insert(LEDGER.to_owned(), url);
    let node = world.start(&ALL).await;
    let counters: Vec<CounterId> = (0..STREAMS).map(|_| CounterId::new()).collect();
    add(&node.app(TALLY), counters[0]).await;
    world.until_effects(counters[0], &[1]).await;
    cable.cut().await;
    for counter in &counters[1..] {
        add(&node.app(TALLY), *counter).await;
    }
    until("the mirror has them all", || world.count_effects(MIRROR), |count| *count == STREAMS as i64).await;
    assert_eq!(world.count_effects(LEDGER).await, 1);
    cable.restore().await;
    until("the ledger, too", || world.count_effects(LEDGER), |count| *count == STREAMS as i64).await;
    world.finish([node]).await;
}

async fn killed_processes_lose_nothing_and_double_nothing(world: World) {
    const STREAMS: usize = 10;
    const EVENTS: i64 = 60;
    const KILLS: i64 = 5;
    // On RabbitMQ this replica survives: the queues change hands at every kill.
    let survivor = if world.is_local() { None } else { Some(world.start(&CONSUMERS).await) };
    // It only writes: the relays and the inboxes of the local bus are in the process that dies.
    let writer = world.plan.start(&[], &world.faults).await;
    let publisher = writer.build(&world.plan, TALLY).await;
    let counters: Vec<CounterId> = (0..STREAMS).map(|_| CounterId::new()).collect();
    let mut replica = Replica::start(&world.plan);
    let mut writing = JoinSet::new();
    for counter in counters.clone() {
        let app = publisher.clone();
        writing.spawn(async move {
            for _ in 0..EVENTS {
                add(&app, counter).await;
            }
        });
    }
    let all = EVENTS * STREAMS as i64;
    for kill in 1..=KILLS {
        // At most four fifths are done by then: there is always something in the middle of things.
        let reached = all * kill * 4 / (5 * KILLS);
        until("the replica gets on", || world.count_effects(MIRROR), |count| *count >= reached).await;
        replica.kill();
        replica = Replica::start(&world.plan);
    }
    writing.join_all().await;
    for counter in &counters {
        world.until_effects(*counter, &(1..=EVENTS).collect::<Vec<_>>()).await;
    }
    until("the outbox is empty", || world.outbox(), |left| *left == 0).await;
    replica.kill();
    world.finish([writer].into_iter().chain(survivor)).await;
}

async fn a_service_that_ends_and_starts_again_goes_on(world: World) {
    let publisher = world.start(&[TALLY]).await;
    let counter = CounterId::new();
    let mut sent = 0;
    for _ in 0..3 {
        let consumers = world.start(&CONSUMERS).await;
        for _ in 0..10 {
            sent = add(&publisher.app(TALLY), counter).await;
        }
        until(
            "some effects are there",
            || world.effects(LEDGER, counter),
            |seen| seen.len() as i64 > sent - 8,
        )
        .await;
        consumers.stop().await;
    }
    let consumers = world.start(&CONSUMERS).await;
    world.until_effects(counter, &(1..=sent).collect::<Vec<_>>()).await;
    world.finish([publisher, consumers]).await;
}
