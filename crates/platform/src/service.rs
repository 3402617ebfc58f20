//! How a service describes itself: `pub fn service() -> Service` in its `lib.rs`, and nothing else there.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use quenty_kernel::Event;
use serde::de::DeserializeOwned;
use sqlx::migrate::Migrator;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    App, Error, Received, Result, Tx,
    app::Parts,
    settings::{Setting, Settings},
    tasks::Claimed,
};

/// Something that is always true of a service's tables; `quenty doctor` proves it.
#[derive(Debug, Clone, Copy)]
pub struct Invariant {
    pub name: &'static str,
    /// What it means when it is broken.
    pub about: &'static str,
    /// A `select` of the rows that break it.
    pub violations: &'static str,
}

type Init = Arc<
    dyn Fn(sqlx::PgPool, Settings, quenty_kernel::Clock) -> BoxFuture<'static, Result<Parts>> + Send + Sync,
>;

/// One bounded context, as the chassis sees it.
#[derive(Clone)]
pub struct Service {
    /// Its name on the bus, on the command line and in metrics.
    pub name: &'static str,
    /// One sentence for people: heads its OpenAPI document.
    pub about: &'static str,
    pub port: u16,
    /// The name of its database, as in the mission.
    pub database: &'static str,
    pub migrations: &'static Migrator,
    pub routes: fn() -> OpenApiRouter<App>,
    pub settings: &'static [Setting],
    pub reactions: Vec<Reaction>,
    pub tasks: Vec<TaskKind>,
    pub jobs: Vec<Job>,
    pub invariants: &'static [Invariant],
    pub init: Option<Init>,
}

impl Service {
    /// Types of foreign events that it hears.
    #[must_use]
    pub fn hears(&self) -> Vec<&'static str> {
        self.reactions.iter().map(|reaction| reaction.kind).collect()
    }

    /// Sets what runs once before the service serves (keys, first rows); its result is [`App::part`].
    #[must_use]
    pub fn init<F, Fut>(mut self, init: F) -> Self
    where
        F: Fn(sqlx::PgPool, Settings, quenty_kernel::Clock) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Parts>> + Send + 'static,
    {
        self.init = Some(Arc::new(move |db, settings, clock| Box::pin(init(db, settings, clock))));
        self
    }
}

type React =
    Arc<dyn for<'t> Fn(&'t mut Tx, quenty_kernel::Envelope) -> BoxFuture<'t, Result<()>> + Send + Sync>;

/// What the service does when it hears one type of event; a type has one reaction in a service.
#[derive(Clone)]
pub struct Reaction {
    pub kind: &'static str,
    pub(crate) react: React,
}

/// An `async fn(&mut Tx, Received<E>) -> Result<(), E2>`.
pub trait ReactionFn<'t, E, X>: Send + Sync {
    type Future: Future<Output = std::result::Result<(), X>> + Send + 't;
    fn call(&self, tx: &'t mut Tx, event: Received<E>) -> Self::Future;
}

impl<'t, E, X, F, Fut> ReactionFn<'t, E, X> for F
where
    F: Fn(&'t mut Tx, Received<E>) -> Fut + Send + Sync,
    Fut: Future<Output = std::result::Result<(), X>> + Send + 't,
{
    type Future = Fut;
    fn call(&self, tx: &'t mut Tx, event: Received<E>) -> Fut {
        self(tx, event)
    }
}

impl Reaction {
    /// `Reaction::on(on_order_placed)`: the event type comes from the function's argument.
    pub fn on<E, X, F>(function: F) -> Self
    where
        E: Event,
        X: Into<Error> + 'static,
        F: for<'t> ReactionFn<'t, E, X> + 'static,
    {
        let function = Arc::new(function);
        Self {
            kind: E::TYPE,
            react: Arc::new(move |tx, envelope| {
                let function = Arc::clone(&function);
                Box::pin(async move {
                    let event = Received::read(envelope)?;
                    function.call(tx, event).await.map_err(Into::into)
                })
            }),
        }
    }
}

type RunTask = Arc<dyn Fn(App, Claimed<serde_json::Value>) -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// A kind of durable task and the function that does it, outside any transaction.
#[derive(Clone)]
pub struct TaskKind {
    pub kind: &'static str,
    pub(crate) run: RunTask,
}

impl TaskKind {
    /// `TaskKind::new("book_shipment", book_shipment)`. Where it brings something back, it does so in the
    /// transaction of [`Claimed::begin`], which is the task's outcome under its lease.
    pub fn new<P, F, Fut, X>(kind: &'static str, function: F) -> Self
    where
        P: DeserializeOwned + Send + 'static,
        X: Into<Error>,
        F: Fn(App, Claimed<P>) -> Fut + Send + Sync + Copy + 'static,
        Fut: Future<Output = std::result::Result<(), X>> + Send + 'static,
    {
        Self {
            kind,
            run: Arc::new(move |app, task| {
                Box::pin(async move { function(app, task.read()?).await.map_err(Into::into) })
            }),
        }
    }
}

/// Periodic work. It only looks for what is due and enqueues tasks or runs short transactions.
#[derive(Clone)]
pub struct Job {
    pub name: &'static str,
    pub every: Duration,
    pub(crate) run: Arc<dyn Fn(App) -> BoxFuture<'static, Result<()>> + Send + Sync>,
}

impl Job {
    pub fn new<F, Fut, X>(name: &'static str, every: Duration, function: F) -> Self
    where
        X: Into<Error>,
        F: Fn(App) -> Fut + Send + Sync + Copy + 'static,
        Fut: Future<Output = std::result::Result<(), X>> + Send + 'static,
    {
        Self {
            name,
            every,
            run: Arc::new(move |app| Box::pin(async move { function(app).await.map_err(Into::into) })),
        }
    }
}
