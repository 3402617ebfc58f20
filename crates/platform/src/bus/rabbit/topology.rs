//! What stands in the broker, and its names. Declaring is idempotent and only ever adds.
//!
//! A binding of a type that a service no longer hears stays: its events are kept as `unheard` for a while by an inbox
//! without a reaction to them. Taking it away at connect would let the old version of a process, reconnecting in the middle
//! of a rolling deploy, cut off what the new version has just begun to hear.

use lapin::{
    Channel, ExchangeKind,
    options::{ExchangeBindOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use sha2::{Digest, Sha256};

use crate::bus::Topology;

/// Every published event, by its type.
pub(super) const EVENTS: &str = "quenty.events";
/// What no consumer could read, or what crashed its consumers again and again.
const DEAD: &str = "quenty.dead";
pub(super) const BROADCASTS: &str = "quenty.broadcasts";
/// The header that says which of its queues each service gets an event through; their exchanges read it.
pub(super) const PARTITION_HEADER: &str = "partition";
/// Queues per service: how many of its events are handled at once. Another number sends streams to other queues,
/// so it may only change while the queues are empty.
pub(super) const QUEUES: usize = 4;
/// Generous: a delivery counts each time a consumer dies with it, and replicas die in rolling deploys.
const DELIVERY_LIMIT: i32 = 100;

/// Which queue the events of a stream go through. It is the same for ever and said by the publisher, since nothing in
/// the broker would keep it: a consistent-hash exchange numbers its queues in whatever order their bindings come back
/// when the broker starts, and what waits in the old queue of a stream is overtaken by what comes into the new one.
pub(super) fn partition(stream: &str) -> usize {
    usize::from(Sha256::digest(stream)[0]) % QUEUES
}

/// Spreads a service's events over its queues.
fn service_exchange(service: &str) -> String {
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
    bind_queue(channel, DEAD, DEAD, FieldTable::default()).await?;
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
    declare_exchange(channel, &exchange, ExchangeKind::Headers, FieldTable::default()).await?;
    for n in 0..QUEUES {
        let queue = queue(service, n);
        declare_queue(channel, &queue, service_queue()).await?;
        let its_own = table([("x-match", text("all")), (PARTITION_HEADER, text(&n.to_string()))]);
        bind_queue(channel, &queue, &exchange, its_own).await?;
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
    message_count(channel, DEAD).await
}

/// How many messages wait in the queues of services, or lie where nobody could take them.
pub(super) async fn waiting(channel: &Channel, topology: &Topology) -> lapin::Result<u32> {
    let mut count = dead_letters(channel).await?;
    for (service, _) in topology.services().filter(|(_, types)| !types.is_empty()) {
        for n in 0..QUEUES {
            count += message_count(channel, &queue(service, n)).await?;
        }
    }
    Ok(count)
}

/// Without those that a consumer has in its hand.
async fn message_count(channel: &Channel, queue: &str) -> lapin::Result<u32> {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    Ok(channel.queue_declare(queue.into(), options, FieldTable::default()).await?.message_count())
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

async fn bind_queue(
    channel: &Channel,
    queue: &str,
    exchange: &str,
    arguments: FieldTable,
) -> lapin::Result<()> {
    let options = QueueBindOptions::default();
    channel.queue_bind(queue.into(), exchange.into(), "".into(), options, arguments).await
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_has_the_same_queue_in_every_version_of_the_platform() {
        let streams =
            ["PU-01M8C3F3C0EBWB30MT6BBS26EY", "SHIP-01M8C3F1J9E38VY1MEGZ9ZMN55", "ORD-1", "ORD-2", ""];
        assert_eq!(streams.map(partition), [1, 1, 3, 0, 3]);
    }

    #[test]
    fn streams_are_spread_evenly() {
        let mut streams = [0; QUEUES];
        for n in 0..4_000 {
            streams[partition(&format!("ORD-{n}"))] += 1;
        }
        assert!(streams.iter().all(|count| (900..1_100).contains(count)), "{streams:?}");
    }
}
