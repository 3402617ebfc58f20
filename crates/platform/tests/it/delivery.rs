//! Promises 1 to 3: published if and only if committed, one effect, in the order of the stream.

use rand::{SeedableRng, rngs::StdRng, seq::IndexedRandom};
use tokio::task::JoinSet;

use crate::{
    on_both_buses,
    tally::{self, ALL, Added, CONSUMERS, CounterId, LEDGER, MIRROR, Noted, TALLY, Unheard, add, rename},
    waiting::until,
    world::World,
};

on_both_buses! {
    what_commits_is_published_and_what_rolls_back_is_not,
    a_duplicate_has_one_effect,
    duplicates_at_once_have_one_effect,
    a_stream_keeps_its_order_under_concurrency,
    a_type_that_nobody_hears_only_leaves_the_outbox,
    an_event_waits_for_a_consumer_that_has_not_started,
}

async fn what_commits_is_published_and_what_rolls_back_is_not(world: World) {
    let node = world.start(&ALL).await;
    let (kept, undone) = (CounterId::new(), CounterId::new());
    add(&node.app(TALLY), kept).await;
    for counter in [kept, undone] {
        let mut tx = tally::begin(&node.app(TALLY)).await;
        let n = tally::next(&mut tx, counter).await;
        tally::record(&mut tx, counter, Added { n });
        drop(tx);
    }
    assert_eq!(add(&node.app(TALLY), kept).await, 2, "the rolled-back number was given out again");

    world.until_effects(kept, &[1, 2]).await;
    assert_eq!(world.envelopes(kept).await.len(), 2);
    assert_eq!(world.envelopes(undone).await.len(), 0);
    until("the outbox is empty", || world.outbox(), |left| *left == 0).await;
    assert_eq!(world.effects(LEDGER, undone).await, [0; 0]);
    world.finish([node]).await;
}

async fn a_duplicate_has_one_effect(world: World) {
    let node = world.start(&ALL).await;
    let counter = CounterId::new();
    add(&node.app(TALLY), counter).await;
    world.until_effects(counter, &[1]).await;

    let envelope = world.envelopes(counter).await.remove(0);
    for _ in 0..3 {
        assert_eq!(node.bus.publish(std::slice::from_ref(&envelope)).await, [envelope.id]);
    }
    // It comes behind the duplicates in the same queue: once it has its effect, they have had their chance.
    add(&node.app(TALLY), counter).await;
    world.until_effects(counter, &[1, 2]).await;
    world.finish([node]).await;
}

async fn duplicates_at_once_have_one_effect(world: World) {
    let node = world.start(&ALL).await;
    let counter = CounterId::new();
    let publisher = node.app(TALLY);
    let mut tx = tally::begin(&publisher).await;
    let n = tally::next(&mut tx, counter).await;
    tally::record(&mut tx, counter, Added { n });
    tx.commit().await.expect("a commit");

    let envelope = world.envelopes(counter).await.remove(0);
    let publications = (0..8).map(|_| node.bus.publish(std::slice::from_ref(&envelope)));
    futures_util::future::join_all(publications).await;
    add(&publisher, counter).await;
    world.until_effects(counter, &[1, 2]).await;
    world.finish([node]).await;
}

async fn a_stream_keeps_its_order_under_concurrency(world: World) {
    let first = world.start(&ALL).await;
    // On the local bus one process has all; on RabbitMQ a second replica competes for the queues.
    let second = if world.is_local() { None } else { Some(world.start(&CONSUMERS).await) };
    let counters: Vec<CounterId> = (0..8).map(|_| CounterId::new()).collect();
    let mut writers = JoinSet::new();
    for seed in 0..8 {
        let (app, counters) = (first.app(TALLY), counters.clone());
        writers.spawn(async move {
            let mut random = StdRng::seed_from_u64(seed);
            for round in 0..30 {
                let counter = *counters.choose(&mut random).expect("a counter");
                if round % 3 == 0 {
                    rename(&app, counter).await
                } else {
                    add(&app, counter).await
                };
            }
        });
    }
    writers.join_all().await;

    for service in CONSUMERS {
        until("all effects are there", || world.count_effects(service), |count| *count >= 240).await;
        for counter in &counters {
            let heard = heard(&world, *counter).await;
            assert_eq!(world.effects(service, *counter).await, (1..=heard).collect::<Vec<_>>(), "{service}");
        }
    }
    world.finish([first].into_iter().chain(second)).await;
}

async fn a_type_that_nobody_hears_only_leaves_the_outbox(world: World) {
    let node = world.start(&ALL).await;
    let counter = CounterId::new();
    let publisher = node.app(TALLY);
    let mut tx = tally::begin(&publisher).await;
    tally::record(&mut tx, counter, Unheard {});
    tally::record(&mut tx, counter, Noted {});
    let n = tally::next(&mut tx, counter).await;
    tally::record(&mut tx, counter, Added { n });
    tx.commit().await.expect("a commit");

    world.until_effects(counter, &[1]).await;
    until("the outbox is empty", || world.outbox(), |left| *left == 0).await;
    let versions: Vec<i64> =
        world.envelopes(counter).await.iter().map(|envelope| envelope.stream_version).collect();
    assert_eq!(versions, [1, 2, 3]);
    for service in [LEDGER, MIRROR] {
        assert_eq!(world.inbox(service, counter).await, [("done".to_owned(), 0)]);
    }
    world.finish([node]).await;
}

async fn an_event_waits_for_a_consumer_that_has_not_started(world: World) {
    let publisher = world.start(&[TALLY]).await;
    let counter = CounterId::new();
    for _ in 0..5 {
        add(&publisher.app(TALLY), counter).await;
    }
    let consumers = world.start(&CONSUMERS).await;
    world.until_effects(counter, &[1, 2, 3, 4, 5]).await;
    world.finish([publisher, consumers]).await;
}

async fn heard(world: &World, counter: CounterId) -> i64 {
    let statement = "select heard from counters where id = $1";
    let heard: Option<i64> = sqlx::query_scalar(statement)
        .bind(counter.uuid())
        .fetch_optional(world.db(TALLY))
        .await
        .expect("a counter");
    heard.unwrap_or(0)
}
