//! What only a broker can do to us: die, lose a queue, carry what nobody can read.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    time::Duration,
};

use futures_util::{StreamExt, stream::select_all};
use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{
        BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions,
        QueueDeclareOptions, QueueDeleteOptions,
    },
    types::{AMQPValue, FieldTable},
};
use quenty_kernel::{Envelope, Event};
use quenty_platform::bus::{Broadcast, Bus, Topology, rabbit::RabbitBus};
use quenty_testkit::{rabbit::RabbitServer, scratch_dir::ScratchDir};
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    broadcasts::next_of,
    faults::Fault,
    proxy::Proxy,
    tally::{self, ALL, Added, CONSUMERS, CounterId, LEDGER, TALLY, add},
    waiting::until,
    world::{Plan, World},
};

/// Of each service, as the platform declares them.
const QUEUES: usize = 4;
/// They hear everything and consume nothing: their queues keep what went through the broker. Several, because a broker
/// does not do to all what it does to one.
const ARCHIVES: [&str; 6] = ["archive-0", "archive-1", "archive-2", "archive-3", "archive-4", "archive-5"];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_its_broker_the_platform_works_on_and_events_flow_when_it_is_back() {
    let folder = ScratchDir::new("quenty-bus-test").expect("a folder");
    let dir = folder.path().join("rabbit");
    let mut server = RabbitServer::start(&dir).await.expect("a broker of our own");
    let mode = std::fs::metadata(&dir).expect("its folder").permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "messages are private");
    let url = server.amqp_url("/");
    let world = World::on_broker(server.broker()).await;
    declare(&world, Topology::new(ARCHIVES.map(|archive| (archive, vec![Added::TYPE])))).await;
    let publisher = world.start(&[TALLY]).await;
    let consumers = world.start(&CONSUMERS).await;
    let mut broadcasts = consumers.bus.listen();
    next_of(&mut broadcasts, Broadcast::LISTENING).await;
    let counters: Vec<CounterId> = (0..5).map(|_| CounterId::new()).collect();
    let add_to_each = async |times: usize| {
        for counter in counters.iter().cycle().take(times * counters.len()) {
            add(&publisher.app(TALLY), *counter).await;
        }
    };
    add_to_each(2).await;

    // In good order first, as for an upgrade. It also settles the queues: RabbitMQ 3.10 can lose a quorum queue that is
    // only moments old when it is killed (docs/adr/0003-two-buses.md).
    server.restart().await.expect("a broker that restarts");
    add_to_each(2).await;
    for counter in &counters {
        world.until_effects(*counter, &[1, 2, 3, 4]).await;
    }

    server.kill().await.expect("a broker that dies");
    assert!(TcpStream::connect(("127.0.0.1", server.port())).is_err(), "nobody listens");
    add_to_each(4).await;
    let away = until("the bus knows", || async { publisher.bus.check().await.is_err() }, |away| *away).await;
    assert!(away && world.outbox().await >= 20, "what was committed meanwhile waits in the outbox");
    // What the restart in good order has told is not what the next one will tell.
    let mut broadcasts = broadcasts.resubscribe();

    server.restart().await.expect("a broker that returns");
    assert_eq!(server.amqp_url("/"), url);
    add_to_each(4).await;
    for counter in &counters {
        world.until_effects(*counter, &(1..=12).collect::<Vec<_>>()).await;
    }
    until("the bus knows", || async { publisher.bus.check().await.is_ok() }, |back| *back).await;
    // Listeners are told that they may have missed something, and hear again.
    next_of(&mut broadcasts, Broadcast::LISTENING).await;
    // However fast consumers are, nothing is overtaken between two queues.
    for archive in ARCHIVES {
        let lying = lying(&world, archive).await;
        assert_eq!(lying.len(), counters.len(), "{archive}");
        for (stream, lies) in lying {
            assert_eq!(
                lies.queues.len(),
                1,
                "{archive}: a restart moved {stream} to another queue: {lies:?}"
            );
            assert_eq!(lies.first_times(), (1..=12).collect::<Vec<_>>(), "{archive}: {stream}");
        }
    }
    let message = Broadcast { topic: "routes".to_owned(), payload: json!(null) };
    publisher.bus.broadcast(message.clone()).await.expect("the bus is back");
    assert_eq!(next_of(&mut broadcasts, "routes").await, message);
    world.finish([publisher, consumers]).await;
}

#[tokio::test]
async fn who_only_asks_whether_a_slow_broker_is_there_gets_connected_to_it() {
    let world = World::rabbit().await;
    let url = world.plan.amqp_url.as_ref().expect("a URL");
    // Connecting and declaring take some thirty answers; a question is waited for for one second.
    let (_cable, slow) = Proxy::slow_before(url, Duration::from_millis(100)).await;
    let bus = RabbitBus::connect_lazily(&slow, tally::topology());
    let first = bus.check().await.expect_err("it takes longer").to_string();
    assert!(first.contains("still connecting"), "{first}");
    until("the broker is reached", || bus.check(), Result::is_ok).await.expect("it is");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_broker_that_loses_its_patience_with_a_full_disk_counts_one_delivery() {
    let world = World::rabbit().await;
    let (mut cable, url) = Proxy::before(world.plan.amqp_url.as_ref().expect("a URL")).await;
    let plan = Plan { amqp_url: Some(url), ..world.plan.clone() };
    let counter = CounterId::new();
    world.faults[LEDGER].put(counter, 1, Fault::FullDisk(u32::MAX));
    let publisher = world.start(&[TALLY]).await;
    let consumer = plan.start(&[LEDGER], &world.faults).await;
    add(&publisher.app(TALLY), counter).await;
    let left = || async {
        match world.faults[LEDGER].get(counter, 1) {
            Some(Fault::FullDisk(left)) => left,
            other => panic!("{other:?}"),
        }
    };
    let two_more_tries = async || {
        let before = left().await;
        until("it is tried twice more", left, |left| before - *left >= 2).await;
    };
    two_more_tries().await;
    // As when an acknowledgement has not come for half an hour: all that was fetched is taken back.
    cable.cut().await;
    cable.restore().await;
    // It still tries the event that it had before the cut: it has fetched nothing again.
    two_more_tries().await;
    cable.cut().await;
    assert_eq!(times_taken_back(&world, LEDGER).await, Some(1));

    world.faults[LEDGER].heal();
    cable.restore().await;
    world.until_effects_of(LEDGER, counter, &[1]).await;
    world.finish([publisher, consumer]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn queues_change_hands_in_the_middle_of_a_stream_without_reordering_it() {
    const HANDOVERS: i64 = 6;
    const EVENTS: i64 = 70;
    let world = World::rabbit().await;
    let publisher = world.start(&[TALLY]).await;
    let counters: Vec<CounterId> = (0..4).map(|_| CounterId::new()).collect();
    let mut writing = JoinSet::new();
    for counter in counters.clone() {
        let app = publisher.app(TALLY);
        writing.spawn(async move {
            for _ in 0..EVENTS {
                add(&app, counter).await;
            }
        });
    }
    let mut active = world.start(&CONSUMERS).await;
    for handover in 1..=HANDOVERS {
        let next = world.start(&CONSUMERS).await;
        let reached = EVENTS * counters.len() as i64 * handover / (HANDOVERS + 1);
        until("the consumers get on", || world.count_effects(LEDGER), |count| *count >= reached).await;
        active.stop().await;
        active = next;
    }
    writing.join_all().await;
    for counter in &counters {
        world.until_effects(*counter, &(1..=EVENTS).collect::<Vec<_>>()).await;
    }
    world.finish([publisher, active]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_cannot_be_read_goes_to_the_dead_letter_queue_and_nothing_waits_for_it() {
    let world = World::rabbit().await;
    let node = world.start(&ALL).await;
    let counter = CounterId::new();
    add(&node.app(TALLY), counter).await;
    world.until_effects(counter, &[1]).await;

    publish_raw(&world, b"{\"not\": \"an envelope\"}").await;
    add(&node.app(TALLY), counter).await;
    world.until_effects(counter, &[1, 2]).await;
    let bus = RabbitBus::connect_lazily(world.plan.amqp_url.as_ref().expect("a URL"), tally::topology());
    let all = |waiting: &Result<u32, _>| matches!(waiting, Ok(count) if *count as usize == CONSUMERS.len());
    until("a broker with dead letters is not empty", || bus.waiting(), all).await.expect("a broker");
    let mut found = Vec::new();
    while found.len() < CONSUMERS.len() {
        let read =
            until("the dead-letter queue has it", || world.broker_dead_letters(), |read| !read.is_empty())
                .await;
        found.extend(read);
    }
    assert_eq!(
        found,
        vec![b"{\"not\": \"an envelope\"}".to_vec(); 2],
        "once for each service that hears the type"
    );
    world.finish([node]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_event_that_no_queue_takes_is_not_confirmed_and_the_topology_heals() {
    let world = World::rabbit().await;
    // No consumer: it would notice before the publisher.
    let publisher = world.start(&[TALLY]).await;
    let counter = CounterId::new();
    add(&publisher.app(TALLY), counter).await;
    until("the outbox is empty", || world.outbox(), |left| *left == 0).await;
    let lost = world.envelopes(counter).await;
    let bus = RabbitBus::connect_lazily(world.plan.amqp_url.as_ref().expect("a URL"), tally::topology());
    assert_eq!(bus.waiting().await.expect("a broker") as usize, CONSUMERS.len(), "one for each of them");

    let channel = raw_channel(&world).await;
    for service in CONSUMERS {
        for n in 0..QUEUES {
            let queue = format!("quenty.{service}.{n}");
            channel
                .queue_delete(queue.as_str().into(), QueueDeleteOptions::default())
                .await
                .expect("a queue");
        }
    }
    assert_eq!(publisher.bus.publish(&lost).await, [] as [uuid::Uuid; 0], "returned by the broker");
    assert_eq!(publisher.bus.publish(&lost).await, [lost[0].id], "declared again");
    let consumers = world.start(&CONSUMERS).await;
    world.until_effects(counter, &[1]).await;
    until("nothing waits", || bus.waiting(), |waiting| matches!(waiting, Ok(0))).await.expect("a broker");
    world.finish([publisher, consumers]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_batch_exactly_what_no_queue_takes_is_not_confirmed() {
    let world = World::rabbit().await;
    let publisher = world.start(&[TALLY]).await;
    let counters: Vec<CounterId> = (0..64).map(|_| CounterId::new()).collect();
    for counter in &counters {
        add(&publisher.app(TALLY), *counter).await;
    }
    until("the outbox is empty", || world.outbox(), |left| *left == 0).await;
    let lying = lying(&world, LEDGER).await;
    let mut batch = Vec::new();
    for counter in &counters {
        batch.extend(world.envelopes(*counter).await);
    }
    let channel = raw_channel(&world).await;
    for service in CONSUMERS {
        let queue = format!("quenty.{service}.1");
        channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await.expect("a queue");
    }

    let confirmed: BTreeSet<_> = publisher.bus.publish(&batch).await.into_iter().collect();
    let taken = batch.iter().filter(|envelope| !lying[&envelope.subject].queues.contains(&1));
    assert_eq!(
        confirmed,
        taken.map(|envelope| envelope.id).collect(),
        "the others are returned by the broker"
    );
    assert_eq!(publisher.bus.publish(&batch).await.len(), batch.len(), "declared again");
    world.finish([publisher]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_queue_that_was_deleted_under_its_consumer_comes_back() {
    let world = World::rabbit().await;
    let node = world.start(&ALL).await;
    let counter = CounterId::new();
    add(&node.app(TALLY), counter).await;
    world.until_effects(counter, &[1]).await;
    let queues: Vec<String> = (0..QUEUES).map(|n| format!("quenty.{LEDGER}.{n}")).collect();
    let channel = raw_channel(&world).await;
    for queue in &queues {
        channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await.expect("a queue");
    }
    for queue in &queues {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let is_back = async || {
            let channel = raw_channel(&world).await;
            channel.queue_declare(queue.as_str().into(), passive, FieldTable::default()).await.is_ok()
        };
        until("the queue is back", is_back, |back| *back).await;
    }
    add(&node.app(TALLY), counter).await;
    world.until_effects(counter, &[1, 2]).await;
    world.finish([node]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_stream_is_moved_to_another_queue_when_one_is_deleted_and_comes_back() {
    let world = World::rabbit().await;
    // No consumer: what is published lies where it was sent.
    let publisher = world.start(&[TALLY]).await;
    let counters: Vec<CounterId> = (0..64).map(|_| CounterId::new()).collect();
    let add_to_each = async || {
        for counter in &counters {
            add(&publisher.app(TALLY), *counter).await;
        }
        until("the outbox is empty", || world.outbox(), |left| *left == 0).await;
    };
    add_to_each().await;
    let channel = raw_channel(&world).await;
    let first = format!("quenty.{LEDGER}.0");
    channel.queue_delete(first.as_str().into(), QueueDeleteOptions::default()).await.expect("a queue");
    declare(&world, tally::topology()).await;
    add_to_each().await;

    let lying = lying(&world, LEDGER).await;
    assert_eq!(lying.len(), counters.len());
    for (stream, lies) in &lying {
        assert_eq!(lies.queues.len(), 1, "{stream} has events in two queues: {lies:?}");
        assert!(lies.versions == [1, 2] || lies.queues == BTreeSet::from([0]), "{stream}: {lies:?}");
    }
    let used: BTreeSet<usize> = lying.values().flat_map(|lies| lies.queues.clone()).collect();
    assert_eq!(used.len(), QUEUES, "the streams are spread over all queues");
    world.finish([publisher]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_broker_with_another_topology_is_refused_with_its_reason() {
    let world = World::rabbit().await;
    let channel = raw_channel(&world).await;
    let options = ExchangeDeclareOptions::default();
    channel
        .exchange_declare("quenty.events".into(), lapin::ExchangeKind::Fanout, options, FieldTable::default())
        .await
        .expect("an exchange");
    let bus = RabbitBus::connect_lazily(world.plan.amqp_url.as_ref().expect("a URL"), tally::topology());
    let error = bus.declare().await.expect_err("the exchange is of another kind").to_string();
    assert!(error.contains("quenty.events"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn declaring_again_changes_nothing() {
    let world = World::rabbit().await;
    let node = world.start(&ALL).await;
    let counter = CounterId::new();
    add(&node.app(TALLY), counter).await;
    let bus = RabbitBus::connect_lazily(world.plan.amqp_url.as_ref().expect("a URL"), tally::topology());
    for _ in 0..2 {
        bus.declare().await.expect("the same topology");
    }
    add(&node.app(TALLY), counter).await;
    world.until_effects(counter, &[1, 2]).await;
    assert_eq!(world.inbox(LEDGER, counter).await.len(), 2);
    world.finish([node]).await;
}

/// Where the events of a stream lie in the queues of a service that nobody consumes.
#[derive(Debug, Default)]
struct Lies {
    queues: BTreeSet<usize>,
    /// In the order in which a consumer would get them; one whose confirm was lost is there twice.
    versions: Vec<i64>,
}

impl Lies {
    fn first_times(&self) -> Vec<i64> {
        let mut seen = BTreeSet::new();
        self.versions.iter().copied().filter(|version| seen.insert(*version)).collect()
    }
}

/// What lies in the queues of a service, by stream; reading removes it.
async fn lying(world: &World, service: &str) -> BTreeMap<String, Lies> {
    let channel = raw_channel(world).await;
    let mut found: BTreeMap<String, Lies> = BTreeMap::new();
    for n in 0..QUEUES {
        let (queue, nothing) = (format!("quenty.{service}.{n}"), FieldTable::default());
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let declared = channel.queue_declare(queue.as_str().into(), passive, nothing.clone()).await;
        let count = declared.expect("a queue").message_count();
        let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        let consumer = channel.basic_consume(queue.as_str().into(), "".into(), options, nothing).await;
        let mut messages = consumer.expect("a consumer").take(count as usize);
        while let Some(message) = messages.next().await {
            let message = message.expect("a message");
            let envelope: Envelope = serde_json::from_slice(&message.data).expect("an envelope");
            let lies = found.entry(envelope.subject).or_default();
            lies.queues.insert(n);
            lies.versions.push(envelope.stream_version);
        }
    }
    found
}

/// How often a service's queues have taken back the message that they give out first; it goes back once more.
async fn times_taken_back(world: &World, service: &str) -> Option<i64> {
    let channel = raw_channel(world).await;
    let mut consumers = Vec::new();
    for n in 0..QUEUES {
        let queue = format!("quenty.{service}.{n}");
        let options = BasicConsumeOptions::default();
        let nothing = FieldTable::default();
        let consumer = channel.basic_consume(queue.as_str().into(), "".into(), options, nothing).await;
        consumers.push(consumer.expect("a consumer"));
    }
    let mut messages = select_all(consumers);
    let message = tokio::time::timeout(Duration::from_secs(30), messages.next()).await;
    let message = message.expect("a message in time").expect("an open channel").expect("a message");
    channel.close(200, "seen".into()).await.expect("a channel that closes");
    let headers = message.properties.headers().as_ref()?;
    headers.inner().get("x-delivery-count")?.as_long_long_int()
}

async fn declare(world: &World, topology: Topology) {
    let url = world.plan.amqp_url.as_ref().expect("a URL");
    RabbitBus::connect_lazily(url, topology).declare().await.expect("a topology");
}

async fn raw_channel(world: &World) -> lapin::Channel {
    let url = world.plan.amqp_url.as_ref().expect("a URL");
    let connection = Connection::connect(url, ConnectionProperties::default()).await.expect("a connection");
    connection.create_channel().await.expect("a channel")
}

async fn publish_raw(world: &World, payload: &[u8]) {
    let channel = raw_channel(world).await;
    channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
    let mut headers = FieldTable::default();
    headers.insert("partition".into(), AMQPValue::LongString("2".into()));
    let properties = BasicProperties::default().with_headers(headers);
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let confirm =
        channel.basic_publish("quenty.events".into(), Added::TYPE.into(), options, payload, properties).await;
    assert_eq!(confirm.expect("a publication").await.expect("a confirm"), lapin::Confirmation::Ack(None));
}
