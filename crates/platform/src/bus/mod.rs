//! Two buses, one contract (design/architecture.md): [`local::LocalBus`] hands envelopes to the inboxes of
//! this process, [`rabbit::RabbitBus`] sends them through RabbitMQ. Both deliver at least once and keep the
//! order within a stream; the inbox makes the effect exactly once.

pub mod local;
pub mod rabbit;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures_util::future::BoxFuture;
use quenty_kernel::Envelope;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::tls;

/// The bus cannot do it now; whoever asked keeps what it has and tries again.
#[derive(Debug, thiserror::Error)]
#[error("the bus is away: {0}")]
pub struct BusAway(pub String);

impl BusAway {
    pub(crate) fn because(why: impl std::error::Error + 'static) -> Self {
        Self(tls::told(&why))
    }
}

/// Takes one envelope into an inbox. `Ok` means that it is stored there; an error, that it could not be
/// (the consumer's own database is away), and that it must be delivered again.
pub type Deliver = Arc<dyn Fn(Envelope) -> BoxFuture<'static, Result<(), BusAway>> + Send + Sync>;

/// Which service hears which event types: known before anything is published.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Topology(BTreeMap<&'static str, BTreeSet<&'static str>>);

impl Topology {
    #[must_use]
    pub fn of<'a>(services: impl IntoIterator<Item = &'a crate::Service>) -> Self {
        Self(
            services
                .into_iter()
                .map(|service| (service.name, service.hears().into_iter().collect()))
                .collect(),
        )
    }
    #[must_use]
    pub fn new(services: impl IntoIterator<Item = (&'static str, Vec<&'static str>)>) -> Self {
        Self(services.into_iter().map(|(name, types)| (name, types.into_iter().collect())).collect())
    }
    pub fn listeners(&self, kind: &str) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter(move |(_, types)| types.contains(kind)).map(|(service, _)| *service)
    }
    pub fn services(&self) -> impl Iterator<Item = (&'static str, &BTreeSet<&'static str>)> {
        self.0.iter().map(|(service, types)| (*service, types))
    }
}

/// Broadcasts that a slow listener may lag behind before it loses the oldest.
const BROADCAST_BACKLOG: usize = 1024;

/// A best-effort message to every process: for caches and live streams, never for facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broadcast {
    pub topic: String,
    pub payload: serde_json::Value,
}

impl Broadcast {
    /// The topic of [`Broadcast::listening`].
    pub const LISTENING: &str = "bus.listening";

    /// What every listener hears first, and after each gap in its connection: it misses nothing from here on, so
    /// this is when it loads the snapshot that later broadcasts change.
    #[must_use]
    pub fn listening() -> Self {
        Self { topic: Self::LISTENING.to_owned(), payload: serde_json::Value::Null }
    }
}

/// What a bus can do.
pub trait Bus: Send + Sync {
    /// Publishes and waits for the confirms; returns the ids of those that are safely on their way. A type that
    /// no service hears counts as confirmed. The caller gives at most one envelope per stream.
    fn publish<'a>(&'a self, envelopes: &'a [Envelope]) -> BoxFuture<'a, Vec<Uuid>>;

    /// Feeds one service's inbox until `stop`; survives lost connections.
    fn consume<'a>(
        &'a self,
        service: &'static str,
        deliver: Deliver,
        stop: CancellationToken,
    ) -> BoxFuture<'a, ()>;

    /// Sends to every process that listens now.
    fn broadcast(&self, message: Broadcast) -> BoxFuture<'_, Result<(), BusAway>>;

    /// Hears broadcasts, beginning with [`Broadcast::listening`].
    fn listen(&self) -> broadcast::Receiver<Broadcast>;

    /// What carries the events, by the names of OpenTelemetry's conventions (`messaging.system`).
    fn system(&self) -> &'static str;

    /// For readiness.
    fn check(&self) -> BoxFuture<'_, Result<(), BusAway>>;
}
