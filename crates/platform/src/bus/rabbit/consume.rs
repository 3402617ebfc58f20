//! Consuming: one event after the other per queue, acknowledged once the inbox holds it.
//!
//! Nothing is ever put back by us: that would burn deliveries and change the order. While the inbox cannot store
//! (its database is away), the event stays unacknowledged in our hand and the queue behind it waits. A broker takes it back
//! after half an hour; nothing is fetched again before the inbox has it, so that an outage of any length counts as one
//! delivery for each process of the service.

use std::time::Duration;

use futures_util::{StreamExt, future::join_all};
use lapin::{
    Channel, Consumer,
    message::Delivery,
    options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions},
    types::FieldTable,
};
use quenty_kernel::Envelope;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{
    connection::{Link, RETRY, within},
    topology::{QUEUES, queue},
};
use crate::bus::{BusAway, Deliver};

/// Fetched ahead, so that the next event is here when the last one is done; handled one by one all the same. A version
/// that fetches fewer must not meet this one in a rolling deploy: RabbitMQ keeps what lost consumers leave in the order
/// of their losses, so that the next one keeps the order only if it fetches all of it at once.
const PREFETCH: u16 = 16;
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Feeds the inbox of one service until `stop`.
pub(super) async fn consume(link: &Link, service: &'static str, deliver: &Deliver, stop: &CancellationToken) {
    let queues = (0..QUEUES).map(|n| QueueConsumer { link, queue: queue(service, n), deliver, stop });
    join_all(queues.map(QueueConsumer::run)).await;
}

struct QueueConsumer<'a> {
    link: &'a Link,
    queue: String,
    deliver: &'a Deliver,
    stop: &'a CancellationToken,
}

impl QueueConsumer<'_> {
    async fn run(self) {
        while !self.stop.is_cancelled() {
            if let Err(error) = self.session().await {
                tracing::debug!(queue = self.queue, %error, "a consumer lost its queue");
            }
            self.pause(RETRY).await;
        }
    }

    /// Consumes on a channel of its own until that is lost or the process is asked to end.
    async fn session(&self) -> Result<(), BusAway> {
        let channel = tokio::select! {
            () = self.stop.cancelled() => return Ok(()),
            channel = self.link.channel() => channel?,
        };
        let mut consumer = None;
        let outcome = self.consume_on(&channel, &mut consumer).await;
        // Dropping a consumer cancels it, and a cancelled one keeps what it has fetched while the next becomes active:
        // later events would overtake. Closing the channel gives everything back first.
        let closed = within(ANSWER_LIMIT, channel.close(200, "done".into())).await;
        drop(consumer);
        outcome.and(closed)
    }

    async fn consume_on(&self, channel: &Channel, consumer: &mut Option<Consumer>) -> Result<(), BusAway> {
        let subscribed = tokio::select! {
            () = self.stop.cancelled() => return Ok(()),
            subscribed = within(ANSWER_LIMIT, self.subscribe(channel)) => subscribed,
        };
        let subscribed = match subscribed {
            Ok(consumer) => consumer,
            Err(error) => {
                // Somebody may have deleted the queue: until it is back, its events go nowhere.
                tracing::warn!(queue = self.queue, %error, "a queue cannot be consumed; declaring the topology again");
                self.link.declare().await?;
                return Err(error);
            }
        };
        let consumer = consumer.insert(subscribed);
        while let Some(delivery) = self.next(consumer).await? {
            self.handle(delivery).await?;
        }
        Ok(())
    }

    /// A broker answers nothing for a queue that has no leader at the moment.
    async fn subscribe(&self, channel: &Channel) -> lapin::Result<Consumer> {
        channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
        let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
        channel.basic_consume(self.queue.as_str().into(), "".into(), options, arguments).await
    }

    async fn next(&self, consumer: &mut Consumer) -> Result<Option<Delivery>, BusAway> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Ok(None),
            delivery = consumer.next() => match delivery {
                Some(delivery) => delivery.map(Some).map_err(BusAway::because),
                None => Err(BusAway("the broker cancelled the consumer".to_owned())),
            },
        }
    }

    async fn handle(&self, delivery: Delivery) -> Result<(), BusAway> {
        let settled = match serde_json::from_slice::<Envelope>(&delivery.data) {
            Ok(envelope) => {
                self.store(envelope).await?;
                delivery.ack(BasicAckOptions::default()).await
            }
            Err(error) => {
                tracing::error!(queue = self.queue, %error, "a message cannot be read; it goes to the dead-letter queue");
                delivery.reject(BasicRejectOptions { requeue: false }).await
            }
        };
        // `false`: the channel was lost meanwhile, and whatever else was fetched on it is not ours any more.
        if settled.map_err(BusAway::because)? {
            Ok(())
        } else {
            Err(BusAway("the channel was lost".to_owned()))
        }
    }

    /// Tries until the inbox holds the event, also when the channel is lost meanwhile: whoever gets it next finds it known.
    async fn store(&self, envelope: Envelope) -> Result<(), BusAway> {
        let mut pause = PAUSE_MIN;
        loop {
            let Err(error) = (self.deliver)(envelope.clone()).await else { return Ok(()) };
            if pause == PAUSE_MIN {
                tracing::warn!(queue = self.queue, %error, "the inbox cannot store; the queue waits");
            }
            self.pause(pause).await;
            if self.stop.is_cancelled() {
                return Err(BusAway("asked to end while the inbox could not store".to_owned()));
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    async fn pause(&self, length: Duration) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = sleep(length) => {}
        }
    }
}
