//! The bus of one process: the relay's envelopes go straight into the inboxes. Durable because outbox and
//! inbox are tables; nothing is kept here.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use futures_util::{StreamExt, future::BoxFuture, stream};
use quenty_kernel::Envelope;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{BROADCAST_BACKLOG, Broadcast, Bus, BusAway, Deliver, Topology};

/// Deliveries at once per batch: streams are independent, and each takes one connection of its consumer.
const CONCURRENCY: usize = 6;

pub struct LocalBus {
    topology: Topology,
    inboxes: RwLock<HashMap<&'static str, Deliver>>,
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
            let deliver = self.inboxes.read().unwrap_or_else(PoisonError::into_inner).get(service).cloned();
            let delivered = match deliver {
                Some(deliver) => deliver(envelope.clone()).await,
                None => Err(BusAway(format!("{service} is not listening yet"))),
            };
            outcome = outcome.and(delivered);
        }
        outcome
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
            self.inboxes.write().unwrap_or_else(PoisonError::into_inner).insert(service, deliver);
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

    fn check(&self) -> BoxFuture<'_, Result<(), BusAway>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
