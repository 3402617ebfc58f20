//! The bus of one process: the relay's envelopes go straight into the inboxes. Durable because outbox and
//! inbox are tables; nothing is kept here.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use futures_util::{StreamExt, future::BoxFuture, stream};
use quenty_kernel::Envelope;
use tokio::{sync::broadcast, time::Instant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{BROADCAST_BACKLOG, Broadcast, Bus, BusAway, Deliver, Topology};

/// Deliveries at once per batch: streams are independent, and each takes one connection of its consumer.
const CONCURRENCY: usize = 6;

/// A service whose inbox could not store is not asked for so long: to find that out takes seconds, which
/// everybody behind would wait for.
const AWAY_FOR: Duration = Duration::from_secs(1);

struct Inbox {
    deliver: Deliver,
    away_until: Option<Instant>,
}

pub struct LocalBus {
    topology: Topology,
    inboxes: RwLock<HashMap<&'static str, Inbox>>,
    broadcasts: broadcast::Sender<Broadcast>,
}

impl LocalBus {
    #[must_use]
    pub fn new(topology: Topology) -> Self {
        Self { topology, inboxes: RwLock::default(), broadcasts: broadcast::channel(BROADCAST_BACKLOG).0 }
    }

    /// One service that cannot take it does not keep it from the others: their inboxes know it when it comes again.
    async fn hand_over(&self, envelope: &Envelope) -> Result<(), BusAway> {
        let mut outcome = Ok(());
        for service in self.topology.listeners(&envelope.kind) {
            let delivered = match self.inbox(service) {
                Ok(deliver) => deliver(envelope.clone()).await,
                Err(away) => Err(away),
            };
            if delivered.is_err() {
                self.note_away(service);
            }
            outcome = outcome.and(delivered);
        }
        outcome
    }

    fn inbox(&self, service: &str) -> Result<Deliver, BusAway> {
        let inboxes = self.inboxes.read().unwrap_or_else(PoisonError::into_inner);
        match inboxes.get(service) {
            None => Err(BusAway(format!("{service} is not listening yet"))),
            Some(Inbox { away_until: Some(until), .. }) if Instant::now() < *until => {
                Err(BusAway(format!("{service} could not store a moment ago")))
            }
            Some(inbox) => Ok(Deliver::clone(&inbox.deliver)),
        }
    }

    fn note_away(&self, service: &str) {
        let mut inboxes = self.inboxes.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(inbox) = inboxes.get_mut(service)
            && inbox.away_until.is_none_or(|until| until <= Instant::now())
        {
            inbox.away_until = Some(Instant::now() + AWAY_FOR);
        }
    }
}

impl Bus for LocalBus {
    fn publish<'a>(&'a self, envelopes: &'a [Envelope]) -> BoxFuture<'a, Vec<Uuid>> {
        Box::pin(async move {
            stream::iter(envelopes.to_vec())
                .map(|envelope| async move {
                    match self.hand_over(&envelope).await {
                        Ok(()) => Some(envelope.id),
                        Err(error) => {
                            tracing::debug!(event = %envelope.id, kind = envelope.kind, %error, "not delivered yet");
                            None
                        }
                    }
                })
                .buffer_unordered(CONCURRENCY)
                .filter_map(std::future::ready)
                .collect()
                .await
        })
    }

    fn consume<'a>(
        &'a self,
        service: &'static str,
        deliver: Deliver,
        stop: CancellationToken,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let inbox = Inbox { deliver, away_until: None };
            self.inboxes.write().unwrap_or_else(PoisonError::into_inner).insert(service, inbox);
            stop.cancelled().await;
            self.inboxes.write().unwrap_or_else(PoisonError::into_inner).remove(service);
        })
    }

    fn broadcast(&self, message: Broadcast) -> BoxFuture<'_, Result<(), BusAway>> {
        // An error only means that nobody listens.
        drop(self.broadcasts.send(message));
        Box::pin(std::future::ready(Ok(())))
    }

    fn listen(&self) -> broadcast::Receiver<Broadcast> {
        let receiver = self.broadcasts.subscribe();
        drop(self.broadcasts.send(Broadcast::listening()));
        receiver
    }

    fn system(&self) -> &'static str {
        "quenty"
    }

    fn check(&self) -> BoxFuture<'_, Result<(), BusAway>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
