//! Publishing: a message counts as sent when the broker has confirmed that its queues hold it, and not before.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

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
    topology::{BROADCASTS, EVENTS, PARTITION_HEADER, partition, table, text},
};
use crate::bus::{Broadcast, BusAway};

/// For a whole batch; what is not confirmed by then stays in the outbox.
const CONFIRM_LIMIT: Duration = Duration::from_secs(10);
const CHANNEL_LIMIT: Duration = Duration::from_secs(5);
const PERSISTENT: u8 = 2;
const TRANSIENT: u8 = 1;

/// The channels of this process in confirm mode. Whoever sends has one to itself until all is confirmed, since it has
/// to see all the confirms of a channel to tell what was returned on it ([`Answers`]).
#[derive(Default)]
pub(super) struct Publisher {
    idle: Mutex<Vec<Channel>>,
}

/// What the broker has said about the messages of a channel. A message that it returns comes with some confirm, and not
/// always with its own: lapin hands it to the next one, and takes those that the broker sends together in any order.
#[derive(Default)]
struct Answers {
    accepted: HashMap<Uuid, bool>,
    returned: HashSet<Uuid>,
}

impl Answers {
    fn take(&mut self, id: Uuid, confirmation: lapin::Result<Confirmation>) {
        let Ok(confirmation) = confirmation else { return };
        self.accepted.insert(id, confirmation.is_ack());
        let message = confirmation.take_message();
        let returned = message.and_then(|message| message.properties.message_id().clone());
        self.returned.extend(returned.and_then(|id| id.as_str().parse::<Uuid>().ok()));
    }

    fn is_accepted(&self, id: Uuid) -> bool {
        self.accepted.get(&id) == Some(&true)
    }

    fn is_returned(&self, id: Uuid) -> bool {
        self.returned.contains(&id)
    }

    /// Whether a queue has it. If it was returned, that has come with some confirm by the time of its own, unless one has
    /// brought a message whose own confirm is still due: then others may stand behind that.
    fn is_kept(&self, id: Uuid) -> bool {
        let all_told = self.returned.iter().all(|id| self.accepted.contains_key(id));
        self.is_accepted(id) && !self.is_returned(id) && all_told
    }
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
            match timeout_at(deadline, send_event(&channel, envelope)).await {
                Ok(Ok(confirm)) => pending.push((envelope.id, confirm)),
                _ => break,
            }
        }
        let answers = stream::iter(pending)
            .map(|(id, confirm)| async move { (id, confirm.await) })
            .buffer_unordered(envelopes.len())
            .take_until(sleep_until(deadline))
            .fold(Answers::default(), async |mut answers, (id, confirmation)| {
                answers.take(id, confirmation);
                answers
            })
            .await;
        let is_heard = |envelope: &Envelope| link.topology().listeners(&envelope.kind).next().is_some();
        if envelopes.iter().any(|envelope| answers.is_returned(envelope.id) && is_heard(envelope)) {
            tracing::warn!("the broker returned an event that no queue takes; declaring the topology again");
            link.declare().await?;
        }
        // The late confirms of a channel that is not given back would concern events that are sent again.
        if envelopes.iter().all(|envelope| answers.is_accepted(envelope.id)) {
            self.idle.lock().await.push(channel);
        }
        let is_done = |envelope: &&Envelope| {
            answers.is_kept(envelope.id) || answers.is_accepted(envelope.id) && !is_heard(envelope)
        };
        Ok(envelopes.iter().filter(is_done).map(|envelope| envelope.id).collect())
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
        .await?;
        self.idle.lock().await.push(channel);
        Ok(())
    }

    async fn channel(&self, link: &Link) -> Result<Channel, BusAway> {
        let mut idle = self.idle.lock().await;
        while let Some(channel) = idle.pop() {
            if channel.status().connected() {
                return Ok(channel);
            }
        }
        drop(idle);
        let channel = link.channel().await?;
        within(CHANNEL_LIMIT, channel.confirm_select(ConfirmSelectOptions::default())).await?;
        Ok(channel)
    }
}

async fn send_event(channel: &Channel, envelope: &Envelope) -> Result<PublisherConfirm, BusAway> {
    let payload = serde_json::to_vec(envelope).map_err(BusAway::because)?;
    let properties = BasicProperties::default()
        .with_message_id(envelope.id.to_string().into())
        .with_content_type("application/cloudevents+json".into())
        .with_delivery_mode(PERSISTENT)
        .with_headers(table([(PARTITION_HEADER, text(&partition(&envelope.subject).to_string()))]));
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    channel
        .basic_publish(EVENTS.into(), envelope.kind.as_str().into(), options, &payload, properties)
        .await
        .map_err(BusAway::because)
}
