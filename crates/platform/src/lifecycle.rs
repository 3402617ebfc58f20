//! Running a service: wait for its database, listen, work, and end in order.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use quenty_kernel::{Clock, Envelope};
use tokio::net::TcpListener;
use tokio_rustls::rustls::ServerConfig;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    App, Error, Result, Service,
    access::Recorded,
    app::{Inner, Parts},
    bus::Bus,
    checkpoints::Checkpoints,
    client::{Client, Transport},
    db::{self, Plans},
    discovery::Discovery,
    gauges,
    http::mtls::{self, MutualTls},
    inbox::{self, Hung},
    live::Places,
    outbox,
    pace::Pace,
    replica::Replica,
    service::Job,
    settings::Settings,
    span::{Span, SpanKind},
    tasks, tls,
    token::Verifier,
    trace,
};

const MIGRATIONS_POLL: Duration = Duration::from_millis(500);
const READY_POLL: Duration = Duration::from_millis(50);
const DRAIN: Duration = Duration::from_secs(10);
const CLEAN_EVERY: Duration = Duration::from_secs(600);
/// Between the first runs of jobs: all at once, each would open a connection.
const JOBS_APART: Duration = Duration::from_millis(100);

/// What a process gives each of its services.
#[derive(Clone)]
pub struct Surroundings {
    pub bus: Arc<dyn Bus>,
    pub clock: Clock,
    pub transport: Transport,
    pub stop: CancellationToken,
}

/// A service that is serving.
pub struct Running {
    pub app: App,
    pub address: SocketAddr,
    tracker: TaskTracker,
    stop: CancellationToken,
    checkpoints: Option<Checkpoints>,
}

impl Running {
    /// Ends the service: no new requests, running ones finish, workers stop.
    pub async fn stop(self) {
        self.stop.cancel();
        self.finished().await;
    }

    /// Waits for the service to end after the process was asked to.
    pub async fn finished(self) {
        self.stop.cancelled().await;
        self.tracker.close();
        if tokio::time::timeout(DRAIN, self.tracker.wait()).await.is_err() {
            tracing::warn!(service = self.app.name(), "some work was cut off after {DRAIN:?}");
        }
        // Nothing writes any more.
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.write(&self.app).await;
        }
        // Connections that are busy would be waited for without end.
        let closing = futures_util::future::join(self.app.0.reader.close(), self.app.0.writer.close());
        drop(tokio::time::timeout(Duration::from_secs(2), closing).await);
    }
}

/// Builds the [`App`] without serving: for tests of commands, and for [`start`].
///
/// # Errors
/// When a setting is missing or the service's `init` fails.
pub async fn build(service: Service, settings: Settings, surroundings: &Surroundings) -> Result<App> {
    let database_url = settings.require("database_url").map_err(Error::internal)?;
    let database_url = &db::with_authority(database_url, settings.get("ca_file")).map_err(Error::internal)?;
    let connections: u32 = settings.parse("database_connections").map_err(Error::internal)?;
    let readers = (connections * 2 / 5).max(1);
    let writers = connections.saturating_sub(readers).max(1);
    let pace = Pace::of(&settings).map_err(Error::internal)?;
    let open = |plans, connections| {
        db::pool_of_service(database_url, service.name, plans, connections, pace.longest_try)
    };
    let (reader, writer) = (open(Plans::Custom, readers)?, open(Plans::Generic, writers)?);
    let replica = Replica::from_settings(&service, &settings, readers, pace.longest_try)?;
    wait_for_migrations(&service, &reader, &surroundings.stop).await?;
    let parts = match &service.init {
        Some(init) => init(reader.clone(), settings.clone(), surroundings.clock.clone()).await?,
        None => Parts::default(),
    };
    let issuer = settings.require("issuer").map_err(Error::internal)?.to_owned();
    let transport = &surroundings.transport;
    let discovery = Discovery::from_settings(&settings, transport);
    let app = App(Arc::new(Inner {
        pace,
        hung: Hung::default(),
        recorded: Recorded::default(),
        streams: Places::default(),
        client: Client::new(service.name, settings.clone(), discovery.clone(), transport.clone()),
        verifier: Verifier::new(transport.clone(), discovery.clone(), &issuer),
        discovery,
        service: Arc::new(service),
        digest_key: settings.require("client_secret").map_err(Error::internal)?.as_bytes().to_vec(),
        settings,
        reader,
        writer,
        replica,
        clock: surroundings.clock.clone(),
        bus: Arc::clone(&surroundings.bus),
        outbox_nudge: tokio::sync::Notify::new(),
        task_nudge: tokio::sync::Notify::new(),
        retry_nudge: tokio::sync::Notify::new(),
        feed_nudge: tokio::sync::Notify::new(),
        stop: surroundings.stop.child_token(),
        tracker: TaskTracker::new(),
        parts: parts.made,
    }));
    if let Some(first) = parts.first {
        first(app.clone()).await?;
    }
    Ok(app)
}

/// Starts a service: its listener and all its workers.
///
/// # Errors
/// When the address cannot be bound, or as [`build`].
pub async fn start(service: Service, settings: Settings, surroundings: &Surroundings) -> Result<Running> {
    let host = settings.require("host").map_err(Error::internal)?;
    let port = settings.get("port").map_or(Ok(service.port), str::parse).map_err(Error::internal)?;
    let address = SocketAddr::new(host.parse().map_err(Error::internal)?, port);
    let asks_for_certificates = settings.get("service_ca_file").is_some();
    let is_private = asks_for_certificates || settings.get("trusted_network") == Some("true");
    if !address.ip().is_loopback() && !is_private {
        return Err(Error::internal(format!(
            "{address} is not loopback: say QUENTY_TRUSTED_NETWORK=true if the network between the services is private, or give them certificates (`quenty certs`)"
        )));
    }
    let listener = TcpListener::bind(address)
        .await
        .map_err(|e| Error::internal(format!("cannot listen on {address}: {e}")))?;
    serve(service, settings, surroundings, listener).await
}

/// As [`start`], on a listener that is bound already.
///
/// # Errors
/// As [`build`].
pub async fn serve(
    service: Service,
    settings: Settings,
    surroundings: &Surroundings,
    listener: TcpListener,
) -> Result<Running> {
    let (app, listener) = build_behind(service, settings, surroundings, listener).await?;
    let address = listener.local_addr().map_err(Error::internal)?;
    let (tracker, stop) = (app.0.tracker.clone(), app.stopping().clone());
    let (router, shutdown) = (crate::http::router(&app), stop.clone().cancelled_owned());
    let (name, config) = (app.name(), tls::of_services(app.settings())?);
    let checkpoints = Checkpoints::of(app.settings(), app.name())?;
    tracker.spawn(async move {
        if let Err(error) = listen(listener, config, router, shutdown).await {
            tracing::error!(service = name, %error, "the listener failed");
        }
    });
    tracker.spawn(app.verifier().clone().keep_fresh(stop.clone()));
    tracker.spawn(app.0.discovery.clone().follow(stop.clone()));
    tracker.spawn(register(app.clone(), address));
    tracker.spawn(outbox::run(app.clone()));
    tracker.spawn(inbox::retry_worker(app.clone()));
    tracker.spawn(tasks::run(app.clone()));
    tracker.spawn(consume(app.clone()));
    tracker.spawn(gauges::run(app.clone()));
    if let Some(checkpoints) = checkpoints.clone() {
        tracker.spawn(checkpoints.run(app.clone()));
    }
    let cleaning = Job::new("clean", CLEAN_EVERY, crate::operate::clean);
    for (job, turn) in app.service().jobs.clone().into_iter().chain([cleaning]).zip(0..) {
        tracker.spawn(run_job(app.clone(), job, JOBS_APART * turn));
    }
    tracing::info!(service = name, %address, "serving");
    Ok(Running { app, address, tracker, stop, checkpoints })
}

/// Serves until `stop`: the platform's services only where they have certificates, and whoever reaches us where not.
async fn listen(
    listener: TcpListener,
    config: Option<ServerConfig>,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    match config {
        Some(config) => mtls::serve(MutualTls::new(listener, config), router, stop).await,
        None => {
            let router = router.into_make_service_with_connect_info::<SocketAddr>();
            axum::serve(listener, router).with_graceful_shutdown(stop).await
        }
    }
}

/// Keeps the service in Consul's register, where there is one, from when it is ready.
async fn register(app: App, bound: SocketAddr) {
    let Some(consul) = app.0.discovery.register() else { return };
    let address = match app.settings().get("advertised_host") {
        None => bound,
        Some(_) => match app.settings().parse("advertised_host") {
            Ok(host) => SocketAddr::new(host, bound.port()),
            Err(error) => return tracing::error!(service = app.name(), %error, "nobody finds it in Consul"),
        },
    };
    while !app.verifier().is_ready().await {
        tokio::select! {
            () = app.stopping().cancelled() => return,
            () = tokio::time::sleep(READY_POLL) => {}
        }
    }
    consul.keep_registered(app.name(), address, app.stopping().clone()).await;
}

/// Builds while the listener already tells that the process lives, and that it is not ready yet.
async fn build_behind(
    service: Service,
    settings: Settings,
    surroundings: &Surroundings,
    listener: TcpListener,
) -> Result<(App, TcpListener)> {
    let listener = listener.into_std().map_err(Error::internal)?;
    let same =
        TcpListener::from_std(listener.try_clone().map_err(Error::internal)?).map_err(Error::internal)?;
    let built = CancellationToken::new();
    let config = tls::of_services(&settings)?;
    let waiting = listen(same, config, crate::http::waiting(service.name), built.clone().cancelled_owned());
    let building = async {
        let app = build(service, settings, surroundings).await;
        built.cancel();
        app
    };
    let (app, waited) = tokio::join!(building, waiting);
    waited.map_err(Error::internal)?;
    Ok((app?, TcpListener::from_std(listener).map_err(Error::internal)?))
}

async fn wait_for_migrations(service: &Service, db: &sqlx::PgPool, stop: &CancellationToken) -> Result<()> {
    let mut told = String::new();
    loop {
        let waiting_for = match db::is_migrated(db, service.migrations).await {
            Ok(true) => return Ok(()),
            Ok(false) => "its migrations: run `quenty migrate`".to_owned(),
            Err(error) => format!("its database: {}", tls::told(&error)),
        };
        // It may be another reason by now.
        if waiting_for != told {
            tracing::warn!(service = service.name, "waiting for {waiting_for}");
            told = waiting_for;
        }
        tokio::select! {
            () = stop.cancelled() => return Err(Error::internal("asked to end while waiting for the database")),
            () = tokio::time::sleep(MIGRATIONS_POLL) => {}
        }
    }
}

async fn consume(app: App) {
    if app.service().reactions.is_empty() {
        return;
    }
    let inbox = app.clone();
    let deliver = Arc::new(move |envelope: Envelope| -> futures_util::future::BoxFuture<'static, _> {
        let app = inbox.clone();
        Box::pin(async move { inbox::deliver(&app, envelope).await })
    });
    app.bus().consume(app.name(), deliver, app.stopping().clone()).await;
}

async fn run_job(app: App, job: Job, first_after: Duration) {
    let mut pause = first_after;
    loop {
        tokio::select! {
            () = app.stopping().cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        let mut seen = Span::begin(app.name(), SpanKind::Internal, None);
        seen.name(|| format!("job {}", job.name));
        let work = app.0.pace.one_try((job.run)(app.clone()));
        if let Err(error) = trace::part_of(seen.context(), work).await {
            seen.fail(error.reason());
            tracing::warn!(service = app.name(), job = job.name, %error, "a job failed; it runs again at its next time");
        }
        pause = job.every;
    }
}
