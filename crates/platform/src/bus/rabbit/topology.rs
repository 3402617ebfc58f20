//! What stands in the broker, and its names. Declaring is idempotent and only ever adds.
//!
//! A binding of a type that a service no longer hears stays: its events are acknowledged by an inbox without a
//! reaction to them. Taking it away at connect would let the old version of a process, reconnecting in the middle
//! of a rolling deploy, cut off what the new version has just begun to hear.

use lapin::{
    Channel, ExchangeKind,
    options::{ExchangeBindOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};

use crate::bus::Topology;

/// Every published event, by its type.
pub(super) const EVENTS: &str = "quenty.events";
/// What no consumer could read, or what crashed its consumers again and again.
const DEAD: &str = "quenty.dead";
pub(super) const BROADCASTS: &str = "quenty.broadcasts";
/// The header that holds the stream; the consistent-hash exchanges read it.
pub(super) const STREAM_HEADER: &str = "stream";
/// Queues per service: how many of its events are handled at once. Another number sends streams to other queues,
/// so it may only change while the queues are empty.
pub(super) const QUEUES: usize = 4;
/// Generous: a delivery counts each time a consumer dies with it, and replicas die in rolling deploys.
const DELIVERY_LIMIT: i32 = 100;

/// Spreads a service's events over its queues.
pub(super) fn service_exchange(service: &str) -> String {
    format!("quenty.{service}")
}

/// The `n`-th queue of a service.
pub(super) fn queue(service: &str, n: usize) -> String {
    format!("quenty.{service}.{n}")
}

pub(super) async fn declare(channel: &Channel, topology: &Topology) -> lapin::Result<()> {
    declare_exchange(channel, BROADCASTS, ExchangeKind::Fanout, FieldTable::default()).await?;
    declare_exchange(channel, DEAD, ExchangeKind::Fanout, FieldTable::default()).await?;
    declare_queue(channel, DEAD, table([("x-queue-type", text("quorum"))])).await?;
    bind_queue(channel, DEAD, DEAD, "").await?;
    declare_exchange(channel, EVENTS, ExchangeKind::Topic, FieldTable::default()).await?;
    for (service, types) in topology.services() {
        if !types.is_empty() {
            declare_service(channel, service, types.iter().copied()).await?;
        }
    }
    Ok(())
}

/// Queues before bindings: from the first binding on, the service misses nothing.
async fn declare_service(
    channel: &Channel,
    service: &str,
    types: impl Iterator<Item = &str>,
) -> lapin::Result<()> {
    let exchange = service_exchange(service);
    let by_stream = table([("hash-header", text(STREAM_HEADER))]);
    declare_exchange(channel, &exchange, ExchangeKind::Custom("x-consistent-hash".to_owned()), by_stream)
        .await?;
    for n in 0..QUEUES {
        let queue = queue(service, n);
        declare_queue(channel, &queue, service_queue()).await?;
        const WEIGHT: &str = "1";
        bind_queue(channel, &queue, &exchange, WEIGHT).await?;
    }
    for kind in types {
        let options = ExchangeBindOptions::default();
        channel
            .exchange_bind(
                exchange.as_str().into(),
                EVENTS.into(),
                kind.into(),
                options,
                FieldTable::default(),
            )
            .await?;
    }
    Ok(())
}

fn service_queue() -> FieldTable {
    table([
        ("x-queue-type", text("quorum")),
        ("x-single-active-consumer", AMQPValue::Boolean(true)),
        ("x-delivery-limit", AMQPValue::LongInt(DELIVERY_LIMIT)),
        ("x-dead-letter-exchange", text(DEAD)),
        // A dead letter leaves its queue only when the dead-letter queue has confirmed it; this needs `reject-publish`.
        ("x-dead-letter-strategy", text("at-least-once")),
        ("x-overflow", text("reject-publish")),
    ])
}

/// How many messages nobody could take.
pub(super) async fn dead_letters(channel: &Channel) -> lapin::Result<u32> {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    Ok(channel.queue_declare(DEAD.into(), options, FieldTable::default()).await?.message_count())
}

async fn declare_exchange(
    channel: &Channel,
    name: &str,
    kind: ExchangeKind,
    arguments: FieldTable,
) -> lapin::Result<()> {
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(name.into(), kind, options, arguments).await
}

async fn declare_queue(channel: &Channel, name: &str, arguments: FieldTable) -> lapin::Result<()> {
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(name.into(), options, arguments).await.map(drop)
}

async fn bind_queue(channel: &Channel, queue: &str, exchange: &str, key: &str) -> lapin::Result<()> {
    channel
        .queue_bind(
            queue.into(),
            exchange.into(),
            key.into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await
}

pub(super) fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

pub(super) fn table<const N: usize>(entries: [(&str, AMQPValue); N]) -> FieldTable {
    let mut table = FieldTable::default();
    for (key, value) in entries {
        table.insert(key.into(), value);
    }
    table
}
