//! Promise 4: a reaction that fails for now is tried again and holds up its own stream, for its own service, and
//! nothing else; after eight tries it is dead until someone replays or discards it.

use quenty_platform::{operate, telemetry};

use crate::{
    faults::Fault,
    on_both_buses,
    tally::{ALL, CONSUMERS, CounterId, LEDGER, MIRROR, TALLY, add, rename},
    waiting::until,
    world::{Node, World},
};

on_both_buses! {
    a_failing_reaction_waits_with_its_stream_until_it_succeeds,
    a_reaction_that_fails_a_few_times_succeeds_in_the_end,
    a_reaction_that_panics_has_failed,
    a_reaction_that_never_ends_has_failed,
    many_reactions_that_never_end_hold_nobody_up_one_after_the_other,
    after_eight_tries_it_is_dead_and_a_replay_releases_its_stream,
    a_discarded_event_releases_its_stream,
    replaying_what_is_not_dead_is_refused,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_and_what_is_dead_shows_in_the_metrics() {
    telemetry::start("warn");
    let mut world = World::local().await;
    let (dead, stuck) = (CounterId::new(), CounterId::new());
    world.faults[LEDGER].put(dead, 1, Fault::UntilHealed);
    let node = world.start(&ALL).await;
    add(&node.app(TALLY), dead).await;
    until("it is dead", || world.inbox(LEDGER, dead), |rows| rows.iter().any(|row| row.0 == "dead")).await;
    node.stop().await;

    world.plan.retry_pause_ms = 600_000;
    world.faults[LEDGER].put(stuck, 1, Fault::UntilHealed);
    let node = world.start(&ALL).await;
    add(&node.app(TALLY), stuck).await;
    until("it waits", || world.inbox(LEDGER, stuck), |rows| rows.iter().any(|row| row.0 == "waiting")).await;
    node.stop().await;

    // Told at the start, and every now and then.
    let node = world.start(&[LEDGER]).await;
    let is_told = |metrics: &String| {
        let value =
            |line: &str| metrics.lines().find_map(|told| told.strip_prefix(line)?.trim().parse::<f64>().ok());
        value(r#"quenty_inbox_dead_events{service="ledger"}"#) == Some(1.0)
            && value(r#"quenty_inbox_waiting_events{service="ledger"}"#) == Some(1.0)
            && value(r#"quenty_inbox_oldest_seconds{service="ledger"}"#).is_some_and(|age| age > 0.0)
            && value(r#"quenty_database_connections_max{service="ledger",pool="write"}"#)
                .is_some_and(|most| most > 0.0)
    };
    until("the metrics tell", telemetry::render, is_told).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_put_off_by_a_clock_that_was_ahead_is_brought_back() {
    let mut world = World::local().await;
    world.plan.retry_pause_ms = 10_000;
    let counter = CounterId::new();
    world.faults[LEDGER].put(counter, 1, Fault::Times(1));
    let node = world.start(&ALL).await;
    add(&node.app(TALLY), counter).await;
    until("it waits", || world.inbox(LEDGER, counter), |rows| *rows == [waiting(1)]).await;
    let put_off = "update quenty.inbox set next_at = next_at + interval '1 day' where status = 'waiting'";
    let put_off = sqlx::query(put_off).execute(world.db(LEDGER)).await.expect("an update");
    assert_eq!(put_off.rows_affected(), 1);
    node.stop().await;
    // The job that cleans runs at the start.
    let node = world.start(&ALL).await;
    world.until_effects(counter, &[1]).await;
    world.finish([node]).await;
}

fn waiting(attempts: i32) -> (String, i32) {
    ("waiting".to_owned(), attempts)
}

async fn a_failing_reaction_waits_with_its_stream_until_it_succeeds(mut world: World) {
    // Slow enough that the tries do not run out while we look.
    world.plan.retry_pause_ms = 60;
    let (stuck, free) = (CounterId::new(), CounterId::new());
    world.faults[LEDGER].put(stuck, 1, Fault::UntilHealed);
    let node = world.start(&ALL).await;
    let publisher = node.app(TALLY);
    for _ in 0..2 {
        add(&publisher, stuck).await;
        add(&publisher, free).await;
    }
    rename(&publisher, stuck).await;

    // Other streams and other services flow on.
    world.until_effects(free, &[1, 2]).await;
    world.until_effects_of(MIRROR, stuck, &[1, 2, 3]).await;
    let inbox = until("all three wait", || world.inbox(LEDGER, stuck), |rows| rows.len() == 3).await;
    assert!(inbox[0].0 == "waiting" && inbox[0].1 >= 1, "{inbox:?}");
    assert_eq!(inbox[1..], [waiting(0), waiting(0)], "later ones of whatever type wait behind it, untried");
    assert_eq!(world.effects(LEDGER, stuck).await, [0; 0], "what a failed reaction wrote is gone");

    world.faults[LEDGER].heal();
    world.until_effects(stuck, &[1, 2, 3]).await;
    world.finish([node]).await;
}

async fn a_reaction_that_fails_a_few_times_succeeds_in_the_end(world: World) {
    let counter = CounterId::new();
    world.faults[LEDGER].put(counter, 2, Fault::Times(3));
    world.faults[MIRROR].put(counter, 1, Fault::Times(1));
    let node = world.start(&ALL).await;
    for _ in 0..4 {
        add(&node.app(TALLY), counter).await;
    }
    world.until_effects(counter, &[1, 2, 3, 4]).await;
    assert_eq!(
        world.inbox(LEDGER, counter).await[1],
        ("done".to_owned(), 4),
        "three tries failed, the fourth did it"
    );
    world.finish([node]).await;
}

async fn a_reaction_that_panics_has_failed(world: World) {
    let counter = CounterId::new();
    for service in CONSUMERS {
        world.faults[service].put(counter, 1, Fault::Panic);
    }
    let node = world.start(&ALL).await;
    add(&node.app(TALLY), counter).await;
    add(&node.app(TALLY), counter).await;
    world.until_effects(counter, &[1, 2]).await;
    world.finish([node]).await;
}

async fn a_reaction_that_never_ends_has_failed(mut world: World) {
    world.plan.task_timeout_ms = 500;
    // Slow enough that the tries do not run out while we look.
    world.plan.retry_pause_ms = 60;
    let stuck = CounterId::new();
    world.faults[LEDGER].put(stuck, 1, Fault::Hangs);
    let node = world.start(&ALL).await;
    add(&node.app(TALLY), stuck).await;
    add(&node.app(TALLY), stuck).await;
    // Enough of them that some come through the queue of the one that hangs.
    let neighbours: Vec<CounterId> = (0..16).map(|_| CounterId::new()).collect();
    for neighbour in &neighbours {
        add(&node.app(TALLY), *neighbour).await;
    }
    let has_failed = |rows: &Vec<(String, i32)>| rows.len() == 2 && rows[0].0 == "waiting" && rows[0].1 >= 1;
    let inbox = until("it has failed", || world.inbox(LEDGER, stuck), has_failed).await;
    assert_eq!(inbox[1], waiting(0));
    for neighbour in &neighbours {
        world.until_effects(*neighbour, &[1]).await;
    }
    world.faults[LEDGER].heal();
    world.until_effects(stuck, &[1, 2]).await;
    world.finish([node]).await;
}

async fn many_reactions_that_never_end_hold_nobody_up_one_after_the_other(mut world: World) {
    world.plan.task_timeout_ms = 1_500;
    // Slow enough that the tries do not run out while we look.
    world.plan.retry_pause_ms = 60;
    let (first, failing, neighbour) = (CounterId::new(), CounterId::new(), CounterId::new());
    let others: Vec<CounterId> = (0..24).map(|_| CounterId::new()).collect();
    for counter in others.iter().chain([&first]) {
        world.faults[LEDGER].put(counter, 1, Fault::Hangs);
    }
    world.faults[LEDGER].put(failing, 1, Fault::Times(1));
    let node = world.start(&ALL).await;
    let publisher = node.app(TALLY);
    add(&publisher, first).await;
    let has_failed = |rows: &Vec<(String, i32)>| rows.iter().any(|row| row.1 >= 1);
    until("it has failed", || world.inbox(LEDGER, first), has_failed).await;
    for counter in &others {
        add(&publisher, *counter).await;
    }
    rename(&publisher, failing).await;
    rename(&publisher, neighbour).await;
    let tried_once = async || {
        let mut once = 0;
        for counter in &others {
            once += usize::from(world.inbox(LEDGER, *counter).await.iter().all(|row| row.1 <= 1));
        }
        once
    };
    world.until_effects_of(LEDGER, neighbour, &[1]).await;
    assert_eq!(tried_once().await, others.len(), "the bus has waited for them");
    // Nor does what else is to be tried again wait for all of them.
    world.until_effects_of(LEDGER, failing, &[1]).await;
    assert_ne!(tried_once().await, 0, "all of them were tried again before it");
    world.faults[LEDGER].heal();
    for counter in others.iter().chain([&first, &failing, &neighbour]) {
        world.until_effects(*counter, &[1]).await;
    }
    world.finish([node]).await;
}

/// One stream of three events whose first is dead at the ledger.
async fn with_a_dead_letter(world: &World) -> (Node, CounterId, operate::DeadLetter) {
    let (poisoned, free) = (CounterId::new(), CounterId::new());
    world.faults[LEDGER].put(poisoned, 1, Fault::UntilHealed);
    let node = world.start(&ALL).await;
    for _ in 0..3 {
        add(&node.app(TALLY), poisoned).await;
    }
    let seen = until(
        "the event is dead",
        || world.dead_letters(LEDGER),
        |dead| !dead.is_empty() && dead[0].waiting_behind == 2,
    )
    .await;
    let [dead] = seen.try_into().expect("one dead letter");
    assert_eq!(
        (dead.attempts, dead.subject.as_str(), dead.error.as_deref()),
        (8, &*poisoned.to_string(), Some("not yet"))
    );
    // It stays so: nothing behind it moves, and everything beside it does.
    add(&node.app(TALLY), free).await;
    world.until_effects(free, &[1]).await;
    world.until_effects_of(MIRROR, poisoned, &[1, 2, 3]).await;
    let dead_and_behind = [("dead".to_owned(), 8), waiting(0), waiting(0)];
    assert_eq!(world.inbox(LEDGER, poisoned).await, dead_and_behind);
    (node, poisoned, dead)
}

async fn after_eight_tries_it_is_dead_and_a_replay_releases_its_stream(world: World) {
    let (node, poisoned, dead) = with_a_dead_letter(&world).await;
    world.faults[LEDGER].heal();
    operate::replay(world.db(LEDGER), dead.id).await.expect("a dead letter");
    world.until_effects_of(LEDGER, poisoned, &[1, 2, 3]).await;
    world.finish([node]).await;
}

async fn a_discarded_event_releases_its_stream(world: World) {
    let (node, poisoned, dead) = with_a_dead_letter(&world).await;
    operate::discard(world.db(LEDGER), dead.id).await.expect("a dead letter");
    world.until_effects_of(LEDGER, poisoned, &[2, 3]).await;
    assert_eq!(world.inbox(LEDGER, poisoned).await[0].0, "discarded");
    // Given up is given up: another delivery does not bring it back.
    let envelope = world.envelopes(poisoned).await.remove(0);
    node.bus.publish(std::slice::from_ref(&envelope)).await;
    add(&node.app(TALLY), poisoned).await;
    world.until_effects_of(LEDGER, poisoned, &[2, 3, 4]).await;
    world.finish([node]).await;
}

async fn replaying_what_is_not_dead_is_refused(world: World) {
    let node = world.start(&ALL).await;
    let counter = CounterId::new();
    add(&node.app(TALLY), counter).await;
    world.until_effects(counter, &[1]).await;
    let done = world.envelopes(counter).await.remove(0).id;
    assert!(operate::replay(world.db(LEDGER), done).await.is_err());
    assert!(operate::discard(world.db(LEDGER), done).await.is_err());
    world.finish([node]).await;
}
