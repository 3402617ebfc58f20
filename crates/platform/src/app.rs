//! What a running service holds: handed to handlers as axum state and to reactions inside [`Tx`].

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::Arc,
};

use futures_util::future::BoxFuture;
use hmac::{Hmac, Mac};
use quenty_kernel::Clock;
use sha2::Sha256;
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    access::Recorded, bus::Bus, client::Client, discovery::Discovery, inbox::Hung, live::Places, pace::Pace,
    replica::Replica, service::Service, settings::Settings, token::Verifier,
};

/// A running service; cheap to clone.
#[derive(Clone)]
pub struct App(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) service: Arc<Service>,
    pub(crate) settings: Settings,
    /// Statements are planned for their arguments: a filter that is absent is none.
    pub(crate) reader: PgPool,
    /// Generic plans: planning the same few statements again and again would cost a third of them.
    pub(crate) writer: PgPool,
    pub(crate) replica: Option<Replica>,
    /// Keys the digests of requests that are kept.
    pub(crate) digest_key: Vec<u8>,
    pub(crate) clock: Clock,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) client: Client,
    pub(crate) verifier: Verifier,
    pub(crate) discovery: Discovery,
    pub(crate) pace: Pace,
    pub(crate) hung: Hung,
    /// Who has just read what is personal.
    pub(crate) recorded: Recorded,
    /// Of live streams.
    pub(crate) streams: Places,
    /// Woken when a transaction has queued facts.
    pub(crate) outbox_nudge: Notify,
    /// Woken when a transaction has enqueued tasks, and when business time moves.
    pub(crate) task_nudge: Notify,
    /// Woken when an event was kept to be tried again.
    pub(crate) retry_nudge: Notify,
    /// Woken when the feed has new positions.
    pub(crate) feed_nudge: Notify,
    pub(crate) stop: CancellationToken,
    pub(crate) tracker: TaskTracker,
    pub(crate) parts: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "App({})", self.name())
    }
}

impl App {
    /// The service's name on the bus.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.service.name
    }
    #[must_use]
    pub fn service(&self) -> &Service {
        &self.0.service
    }
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }
    /// For reads; lists may come from a [replica](App::lists), writes go through [`App::begin`](crate::tx).
    #[must_use]
    pub fn db(&self) -> &PgPool {
        &self.0.reader
    }
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }
    /// Calls to other services.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0.client
    }
    #[must_use]
    pub fn bus(&self) -> &Arc<dyn Bus> {
        &self.0.bus
    }
    #[must_use]
    pub fn verifier(&self) -> &Verifier {
        &self.0.verifier
    }
    /// Cancelled when the process is asked to end.
    #[must_use]
    pub fn stopping(&self) -> &CancellationToken {
        &self.0.stop
    }
    /// HMAC of a request's digest: what is stored of a request with a password in it tells nothing of the password.
    pub(crate) fn keyed_digest(&self, digest: &[u8]) -> [u8; 32] {
        // Any length of key will do.
        Hmac::<Sha256>::new_from_slice(&self.0.digest_key)
            .map_or([0; 32], |hmac| hmac.chain_update(digest).finalize().into_bytes().into())
    }

    /// What the service's `init` made: its own keys, mailer and the like.
    ///
    /// # Errors
    /// When `init` made no such part: a bug.
    pub fn part<T: Send + Sync + 'static>(&self) -> crate::Result<&T> {
        self.0.parts.get(&TypeId::of::<T>()).and_then(|part| part.downcast_ref()).ok_or_else(|| {
            crate::Error::internal(format!("{} has no part {}", self.name(), std::any::type_name::<T>()))
        })
    }

    /// Wakes whatever waits for business time, after a simulated clock was advanced.
    pub fn time_moved(&self) {
        self.0.task_nudge.notify_waiters();
        self.0.task_nudge.notify_one();
    }
}

type First = Box<dyn FnOnce(App) -> BoxFuture<'static, crate::Result<()>> + Send>;

/// What a service's `init` makes once, before it serves.
#[derive(Default)]
pub struct Parts {
    pub(crate) made: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
    pub(crate) first: Option<First>,
}

impl Parts {
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(mut self, part: T) -> Self {
        self.made.insert(TypeId::of::<T>(), Box::new(part));
        self
    }

    /// Runs before the first request is served: what needs a transaction, such as an administrator's first row.
    #[must_use]
    pub fn first<F, Fut>(self, work: F) -> Self
    where
        F: FnOnce(App) -> Fut + Send + 'static,
        Fut: Future<Output = crate::Result<()>> + Send + 'static,
    {
        Self { first: Some(Box::new(move |app| Box::pin(work(app)))), ..self }
    }
}
