//! The bus between processes: RabbitMQ with quorum queues, one active consumer per queue and confirms.
//!
//! An event goes from the topic exchange `quenty.events` into each listening service's own exchange, and from there
//! to the queue that its publisher has named by a hash of the stream; a queue has one active consumer, which takes one
//! event after the other. So the order within a stream holds with any number of replicas, and over restarts of the
//! broker (docs/adr/0003-two-buses.md).
//!
//! Nothing is kept here: what the broker has not confirmed stays in the outbox, and what an inbox has not stored
//! stays in the queue.

mod broadcast;
mod connection;
mod consume;
mod publish;
mod topology;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use quenty_kernel::Envelope;
use tokio::time::timeout;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};
use uuid::Uuid;

use self::{
    broadcast::Listener,
    connection::{Link, TlsFiles},
    publish::Publisher,
};
use super::{Broadcast, Bus, BusAway, Deliver, Topology};
use crate::{Error, Result, settings::Settings, tls};

const CHECK_LIMIT: Duration = Duration::from_secs(1);

/// One process's way to the broker.
pub struct RabbitBus {
    /// A broker that runs short of memory or disk stops reading from connections that publish. Acknowledgements go
    /// over another one: they are what makes room.
    outward: Arc<Link>,
    link: Arc<Link>,
    publisher: Publisher,
    listener: Listener,
    listening: AtomicBool,
    background: TaskTracker,
    stop: CancellationToken,
    _ends_background: DropGuard,
}

impl RabbitBus {
    /// Connects when it is first used, and again whenever the connection is lost. The topology names all services
    /// of the platform, whichever of them run in this process.
    #[must_use]
    pub fn connect_lazily(url: &str, topology: Topology) -> Self {
        Self::with_tls(url, topology, TlsFiles::default())
    }

    /// As [`RabbitBus::connect_lazily`], to the broker of the settings, by TLS where its URL begins with `amqps:`.
    ///
    /// # Errors
    /// When there is no URL, or a file cannot be read.
    pub fn from_settings(settings: &Settings, topology: Topology) -> Result<Self> {
        let url = settings.require("bus_url").map_err(Error::internal)?;
        let own = tls::own_files(settings)?;
        let files = TlsFiles {
            own: own.map(|(certificate, key)| (certificate.to_owned(), key.to_owned())),
            authority: settings.get("ca_file").map(str::to_owned),
        };
        // What is wrong with them now is told here, and not at each connection.
        if let Some(file) = &files.authority {
            tls::certificates(file)?;
        }
        files.read().map_err(Error::internal)?;
        Ok(Self::with_tls(url, topology, files))
    }

    fn with_tls(url: &str, topology: Topology, tls: TlsFiles) -> Self {
        let stop = CancellationToken::new();
        Self {
            outward: Arc::new(Link::new(url, topology.clone(), tls.clone())),
            link: Arc::new(Link::new(url, topology, tls)),
            publisher: Publisher::default(),
            listener: Listener::default(),
            listening: AtomicBool::new(false),
            background: TaskTracker::new(),
            _ends_background: stop.clone().drop_guard(),
            stop,
        }
    }

    /// Declares exchanges, queues and bindings of all services. Every connection does so before it is used; this is
    /// for `quenty topology apply`, which wants to know that it worked.
    ///
    /// # Errors
    /// When the broker cannot be reached, or has the same names with other properties.
    pub async fn declare(&self) -> std::result::Result<(), BusAway> {
        self.outward.declare().await
    }

    /// How many messages lie in the broker's dead-letter queue, `quenty.dead`.
    ///
    /// # Errors
    /// When the broker cannot be reached.
    pub async fn dead_letters(&self) -> std::result::Result<u32, BusAway> {
        self.link.dead_letters().await
    }

    /// How many messages wait in the queues of services, beside those that a process has in its hand, with the
    /// [dead letters](Self::dead_letters): those are events that somebody still lacks.
    ///
    /// # Errors
    /// When the broker cannot be reached.
    pub async fn waiting(&self) -> std::result::Result<u32, BusAway> {
        self.link.waiting().await
    }
}

impl Bus for RabbitBus {
    fn publish<'a>(&'a self, envelopes: &'a [Envelope]) -> BoxFuture<'a, Vec<Uuid>> {
        Box::pin(self.publisher.publish(&self.outward, envelopes))
    }

    fn consume<'a>(
        &'a self,
        service: &'static str,
        deliver: Deliver,
        stop: CancellationToken,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move { consume::consume(&self.link, service, &deliver, &stop).await })
    }

    fn broadcast(&self, message: Broadcast) -> BoxFuture<'_, std::result::Result<(), BusAway>> {
        Box::pin(async move { self.publisher.broadcast(&self.outward, &message).await })
    }

    fn listen(&self) -> tokio::sync::broadcast::Receiver<Broadcast> {
        if !self.listening.swap(true, Ordering::SeqCst) {
            self.background.spawn(self.listener.clone().run(Arc::clone(&self.link), self.stop.clone()));
        }
        self.listener.subscribe()
    }

    fn system(&self) -> &'static str {
        "rabbitmq"
    }

    fn check(&self) -> BoxFuture<'_, std::result::Result<(), BusAway>> {
        let link = Arc::clone(&self.outward);
        // It goes on when nobody waits for it any more: a broker may need longer to be connected to than to be asked, and
        // where nothing is published, nobody else connects.
        let checked = self.background.spawn(async move { link.check().await });
        Box::pin(async {
            let ended = timeout(CHECK_LIMIT, checked).await;
            ended.map_or_else(
                |_| Err(BusAway("it is still connecting".to_owned())),
                |joined| joined.unwrap_or_else(|error| Err(BusAway::because(error))),
            )
        })
    }
}
