//! Publishing: a message counts as sent when the broker has confirmed that its queues hold it, and not before.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use lapin::{
    BasicProperties, Channel, Confirmation, PublisherConfirm,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use quenty_kernel::Envelope;
use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until, timeout_at},
};
use uuid::Uuid;

use super::{
    connection::{Link, within},
    topology::{BROADCASTS, EVENTS, PARTITION_HEADER, partition, service_exchange, table, text},
};
use crate::bus::{Broadcast, BusAway};

/// For a whole batch; what is not confirmed by then stays in the outbox.
const CONFIRM_LIMIT: Duration = Duration::from_secs(10);
const CHANNEL_LIMIT: Duration = Duration::from_secs(5);
const PERSISTENT: u8 = 2;
const TRANSIENT: u8 = 1;

/// The channel that all publishers of this process share, in confirm mode.
#[derive(Default)]
pub(super) struct Publisher {
    channel: Mutex<Option<Channel>>,
}

#[derive(PartialEq, Eq)]
enum Sent {
    /// The broker keeps it, or nobody hears it.
    Confirmed,
    /// No queue takes it: someone deleted what we had declared.
    Returned,
    Refused,
}

impl Publisher {
    /// Returns the ids of those that the broker keeps from now on, and of those that nobody hears: the broker knows
    /// better than this process whether a newer version of a service does.
    pub(super) async fn publish(&self, link: &Link, envelopes: &[Envelope]) -> Vec<Uuid> {
        self.send(link, envelopes).await.unwrap_or_else(|error| {
            tracing::debug!(%error, "a batch waits in the outbox");
            Vec::new()
        })
    }

    async fn send(&self, link: &Link, envelopes: &[Envelope]) -> Result<Vec<Uuid>, BusAway> {
        let channel = self.channel(link).await?;
        let deadline = Instant::now() + CONFIRM_LIMIT;
        let mut pending = Vec::with_capacity(envelopes.len());
        for envelope in envelopes {
            // A broker short of memory or disk stops reading: then nothing is written, either.
            match timeout_at(deadline, send_event(&channel, EVENTS, envelope)).await {
                Ok(Ok(confirm)) => {
                    let heard = link.topology().listeners(&envelope.kind).next().is_some();
                    pending.push((envelope.id, heard, confirm));
                }
                _ => break,
            }
        }
        let outcomes: Vec<(Uuid, Sent)> = stream::iter(pending)
            .map(|(id, heard, confirm)| async move { (id, outcome(confirm, heard).await) })
            .buffer_unordered(envelopes.len())
            .take_until(sleep_until(deadline))
            .collect()
            .await;
        if outcomes.iter().any(|(_, sent)| *sent == Sent::Returned) {
            tracing::warn!("the broker returned an event that no queue takes; declaring the topology again");
            link.declare().await?;
        }
        let confirmed: Vec<Uuid> =
            outcomes.into_iter().filter(|(_, sent)| *sent == Sent::Confirmed).map(|(id, _)| id).collect();
        if confirmed.len() < envelopes.len() {
            // Its late confirms would concern events that are sent again.
            self.channel.lock().await.take();
        }
        Ok(confirmed)
    }

    /// Sends to the processes that listen now; nothing is kept for those that do not.
    pub(super) async fn broadcast(&self, link: &Link, message: &Broadcast) -> Result<(), BusAway> {
        let channel = self.channel(link).await?;
        let payload = serde_json::to_vec(message).map_err(BusAway::because)?;
        let properties = BasicProperties::default()
            .with_delivery_mode(TRANSIENT)
            .with_content_type("application/json".into());
        within(CONFIRM_LIMIT, async {
            channel
                .basic_publish(
                    BROADCASTS.into(),
                    "".into(),
                    BasicPublishOptions::default(),
                    &payload,
                    properties,
                )
                .await?
                .await
        })
        .await
        .map(drop)
    }

    /// Sends one event to one service only, whoever else hears its type.
    pub(super) async fn send_to(
        &self,
        link: &Link,
        service: &str,
        envelope: &Envelope,
    ) -> Result<(), BusAway> {
        let channel = self.channel(link).await?;
        let deadline = Instant::now() + CONFIRM_LIMIT;
        let exchange = service_exchange(service);
        let confirm = timeout_at(deadline, send_event(&channel, &exchange, envelope)).await;
        let confirm = confirm.map_err(BusAway::because)??;
        match timeout_at(deadline, outcome(confirm, true)).await {
            Ok(Sent::Confirmed) => Ok(()),
            Ok(Sent::Returned) => Err(BusAway(format!("{service} has no queue for it"))),
            Ok(Sent::Refused) | Err(_) => Err(BusAway("the broker did not confirm it".to_owned())),
        }
    }

    async fn channel(&self, link: &Link) -> Result<Channel, BusAway> {
        let mut slot = self.channel.lock().await;
        if let Some(channel) = slot.as_ref().filter(|channel| channel.status().connected()) {
            return Ok(channel.clone());
        }
        let channel = link.channel().await?;
        within(CHANNEL_LIMIT, channel.confirm_select(ConfirmSelectOptions::default())).await?;
        Ok(slot.insert(channel).clone())
    }
}

async fn send_event(
    channel: &Channel,
    exchange: &str,
    envelope: &Envelope,
) -> Result<PublisherConfirm, BusAway> {
    let payload = serde_json::to_vec(envelope).map_err(BusAway::because)?;
    let properties = BasicProperties::default()
        .with_message_id(envelope.id.to_string().into())
        .with_content_type("application/cloudevents+json".into())
        .with_delivery_mode(PERSISTENT)
        .with_headers(table([(PARTITION_HEADER, text(&partition(&envelope.subject).to_string()))]));
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    channel
        .basic_publish(exchange.into(), envelope.kind.as_str().into(), options, &payload, properties)
        .await
        .map_err(BusAway::because)
}

async fn outcome(confirm: PublisherConfirm, heard: bool) -> Sent {
    match confirm.await {
        Ok(Confirmation::Ack(None)) => Sent::Confirmed,
        Ok(Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_))) if heard => Sent::Returned,
        Ok(Confirmation::Ack(Some(_))) => Sent::Confirmed,
        Ok(Confirmation::Nack(_) | Confirmation::NotRequested) | Err(_) => Sent::Refused,
    }
}
