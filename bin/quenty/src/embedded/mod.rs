//! The embedded platform: every service in this process, on a PostgreSQL of its own in one folder.

mod clock;
pub mod databases;
mod folder;
mod scratch;
mod simulation;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use futures_util::future::join_all;
use jiff::Timestamp;
use quenty_gateway::{Gateway, Upstream};
use quenty_platform::{
    App, Service,
    bus::{Bus, local::LocalBus},
    client::Transport,
    discovery::Discovery,
    embedded_postgres::{EmbeddedPostgres, Options},
    http,
    lifecycle::{self, Running, Surroundings},
    otlp::Traces,
    settings::Settings,
    token::Verifier,
};
use sqlx::PgPool;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

pub use self::{
    clock::{Simulation, business_time, mark_as_lived, refuse_simulation},
    folder::{
        Announcement, Folder, audit_folder, audit_public_key_file, databases_file, processes_file,
        running_at, servers_file, was_never_signed, write_private,
    },
    scratch::Scratch,
};
use crate::{demo::Backstage, health, output::quoted, services};

/// Connections of each service; ten services stay far below the server's limit.
const CONNECTIONS: &str = "8";
/// PostgreSQL runs already when this begins; a busy machine takes its time with the rest.
const START_LIMIT: Duration = Duration::from_secs(60);
const READY_POLL: Duration = Duration::from_millis(10);
/// As Auth knows it: it exchanges API keys there.
const GATEWAY: &str = "gateway";
/// Settings that a platform in one process has no use for.
const OF_OTHERS: [&str; 9] = [
    "advertised_host",
    "consul_token",
    "consul_url",
    "redis_ca_file",
    "redis_url",
    "replica_url",
    "service_ca_file",
    "tls_certificate_file",
    "tls_key_file",
];
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// How a platform is started.
#[derive(Debug, Clone)]
pub struct Start {
    pub data: PathBuf,
    /// No `fsync`: fast, and lost when the machine stops.
    pub ephemeral: bool,
    /// Business time stands still until it is advanced, and begins here on a new folder.
    pub simulated_from: Option<Timestamp>,
    /// Take free ports instead of the mission's.
    pub free_ports: bool,
    /// For the first start; otherwise the setting's.
    pub admin_email: Option<String>,
}

/// Where a part of the platform listens.
#[derive(Debug, Clone)]
pub struct Listening {
    pub name: &'static str,
    pub address: SocketAddr,
}

/// A running platform.
pub struct Platform {
    pub folder: Folder,
    pub gateway: SocketAddr,
    pub listening: Vec<Listening>,
    pub simulation: Option<Simulation>,
    running: Vec<Running>,
    serving: JoinHandle<()>,
    stop: CancellationToken,
    postgres: EmbeddedPostgres,
    traces: Traces,
    _announced: Announcement,
}

/// The addresses, taken before anything else is done.
struct Listeners {
    gateway: TcpListener,
    services: Vec<TcpListener>,
}

/// What stands on a started database.
struct Begun {
    listening: Vec<Listening>,
    simulation: Option<Simulation>,
    running: Vec<Running>,
    serving: JoinHandle<()>,
    announced: Announcement,
}

impl Platform {
    /// Starts everything; returns when all of it is ready. Whoever cancels `stop` asks all of it to end, and
    /// calls [`Platform::stop`] to wait for that.
    ///
    /// # Errors
    /// When the folder is in use, a port is taken, or PostgreSQL cannot start; each says what to do. Nothing is
    /// left running then.
    pub async fn start(start: &Start, stop: CancellationToken) -> Result<Self> {
        let given = services::settings()?;
        refuse_other_servers(&given)?;
        let folder = Folder::open(&start.data)?;
        clock::check(&folder, start.simulated_from)?;
        let listeners = Listeners::bind(start.free_ports, &folder).await?;
        let gateway = listeners.gateway.local_addr()?;
        let traces = Traces::start(&given)?;
        let postgres = start_postgres(&folder, start.ephemeral, &stop).await?;
        // What a killed platform of many processes has left behind would be taken for ours.
        drop(std::fs::remove_file(processes_file(folder.path())));
        let begun = begin(start, &folder, &postgres, listeners, &stop).await;
        match begun {
            Ok(Begun { listening, simulation, running, serving, announced }) => Ok(Self {
                folder,
                gateway,
                listening,
                simulation,
                running,
                serving,
                stop,
                postgres,
                traces,
                _announced: announced,
            }),
            Err(error) => {
                stop.cancel();
                drop(postgres.stop().await);
                Err(error)
            }
        }
    }

    /// Where clients go.
    pub fn url(&self) -> String {
        format!("http://{}", self.gateway)
    }

    /// The services and their databases, for proofs.
    pub fn databases(&self) -> Vec<(Service, PgPool)> {
        self.running.iter().map(|r| (r.app.service().clone(), r.app.db().clone())).collect()
    }

    /// What the demo needs to know of this platform.
    ///
    /// # Errors
    /// When the administrator's password is nowhere.
    pub fn backstage(&self, admin: Option<&str>) -> Result<Backstage> {
        Backstage::of_folder(self.url(), &self.folder, admin)
    }

    /// Waits until it is asked to end.
    ///
    /// # Errors
    /// When its PostgreSQL ends before that.
    pub async fn asked_to_end(&self) -> Result<()> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Ok(()),
            why = self.postgres.ended() => Err(why.into()),
        }
    }

    /// Ends everything in order: requests finish, workers stop, the database shuts down.
    ///
    /// # Errors
    /// When PostgreSQL does not stop.
    pub async fn stop(self) -> Result<()> {
        self.stop.cancel();
        drop(self.serving.await);
        // Side by side: where PostgreSQL is away, each waits for it.
        join_all(self.running.into_iter().map(Running::finished)).await;
        self.traces.end().await;
        self.postgres.stop().await.context("PostgreSQL did not stop in order; it recovers at the next start")
    }
}

impl Listeners {
    async fn bind(free: bool, folder: &Folder) -> Result<Self> {
        let bound = async {
            let gateway = listen(quenty_gateway::PORT, free, "gateway").await?;
            let mut listeners = Vec::new();
            for service in services::all() {
                listeners.push(listen(service.port, free, service.name).await?);
            }
            Ok(Self { gateway, services: listeners })
        };
        match (bound.await, running_at(folder.path())) {
            (Err(_), Ok(Some(url))) => {
                bail!("the platform of {} runs already, at {url}", folder.path().display())
            }
            (bound, _) => bound,
        }
    }
}

async fn listen(port: u16, free: bool, name: &str) -> Result<TcpListener> {
    let address = SocketAddr::new(LOOPBACK, if free { 0 } else { port });
    TcpListener::bind(address).await.with_context(|| {
        format!("the {name} cannot listen on {address}: stop what uses the port, or start with --ports free")
    })
}

/// Everything above the database.
async fn begin(
    start: &Start,
    folder: &Folder,
    postgres: &EmbeddedPostgres,
    listeners: Listeners,
    stop: &CancellationToken,
) -> Result<Begun> {
    ensure!(!stop.is_cancelled(), "asked to end before everything was ready");
    refuse_undelivered(folder)?;
    let clock = clock::open(folder, start.simulated_from)?;
    let surroundings = Surroundings {
        bus: Arc::new(LocalBus::new(services::topology())) as Arc<dyn Bus>,
        clock: clock.clone(),
        transport: Transport::default(),
        stop: stop.clone(),
    };
    let all = services::all();
    let gateway = listeners.gateway.local_addr()?;
    let shared = shared_settings(start, folder, gateway, &all, &listeners.services)?;
    databases::migrate(&all, folder, postgres).await?;
    databases::tell(&all, folder, postgres.port())?;
    let mut running = Vec::new();
    for (service, listener) in all.into_iter().zip(listeners.services) {
        let settings = service_settings(&shared, folder, &service, postgres)?;
        let name = service.name;
        let started = lifecycle::serve(service, settings, &surroundings, listener).await;
        running.push(started.with_context(|| format!("{name} cannot start"))?);
    }
    let listening = running.iter().map(|r| Listening { name: r.app.name(), address: r.address }).collect();
    let apps: Vec<App> = running.iter().map(|r| r.app.clone()).collect();
    let simulation = clock.is_simulated().then(|| Simulation::new(clock, apps.clone(), folder.clone()));
    let own = shared.clone().with("client_secret", folder.secrets().client(GATEWAY)?);
    let serving = serve_gateway(&own, &apps, simulation.clone(), &surroundings, listeners.gateway)?;
    let url = format!("http://{gateway}");
    wait_until_ready(&url, &surroundings).await?;
    let announced = folder.announce(&url)?;
    Ok(Begun { listening, simulation, running, serving, announced })
}

/// Nobody here would take in what RabbitMQ holds for the platform of this folder, and later events would overtake it.
fn refuse_undelivered(folder: &Folder) -> Result<()> {
    let data = quoted(folder.path().display());
    ensure!(
        !folder.rabbit().exists() || folder.rabbit_is_empty().exists(),
        "RabbitMQ may still hold events of the platform in {data}, which ran in many processes last: start it so once more \
         (`quenty up --distributed --data {data}`), and end it when nothing is under way and nothing lies in its queue quenty.dead; \
         docs/guides/services-apart.md says what to do where it cannot be started so"
    );
    Ok(())
}

async fn wait_until_ready(url: &str, surroundings: &Surroundings) -> Result<()> {
    let health = format!("{url}/health");
    let deadline = tokio::time::Instant::now() + START_LIMIT;
    loop {
        let told = health::read(&surroundings.transport, &health).await;
        if told.as_ref().is_ok_and(health::Health::is_ready) {
            return Ok(());
        }
        if surroundings.stop.is_cancelled() {
            bail!("asked to end before everything was ready");
        }
        if tokio::time::Instant::now() >= deadline {
            let missing = told.map_or_else(|why| why, |health| health.missing());
            bail!("the platform is not ready after {START_LIMIT:?}: {missing}");
        }
        tokio::time::sleep(READY_POLL).await;
    }
}

async fn start_postgres(
    folder: &Folder,
    ephemeral: bool,
    stop: &CancellationToken,
) -> Result<EmbeddedPostgres> {
    let options = Options { ephemeral, give_up: stop.clone(), ..Options::new(folder.postgres()) };
    Ok(EmbeddedPostgres::start(options).await?)
}

/// A shell in which a production is configured must not make its register, its counters or its certificates ours.
fn refuse_other_servers(given: &Settings) -> Result<()> {
    let mut table = given.table().into_iter();
    let named = table.find(|row| OF_OTHERS.contains(&row.key) && given.get(row.key).is_some());
    match named {
        Some(row) => bail!(
            "a platform in one process has neither other servers nor certificates: unset QUENTY_{} (said by {})",
            row.key.to_uppercase(),
            row.source
        ),
        None => Ok(()),
    }
}

/// What all services of this process read the same.
fn shared_settings(
    start: &Start,
    folder: &Folder,
    gateway: SocketAddr,
    all: &[Service],
    listeners: &[TcpListener],
) -> Result<Settings> {
    let secrets = folder.secrets();
    let names = all.iter().map(|service| service.name).chain([GATEWAY]);
    let clients: serde_json::Map<String, serde_json::Value> =
        names.map(|name| Ok((name.to_owned(), secrets.client(name)?.into()))).collect::<Result<_>>()?;
    let given = services::settings()?;
    let mut settings = given
        .with("public_url", format!("http://{gateway}"))
        .with("service_clients", serde_json::Value::Object(clients).to_string())
        .with("key_encryption_key", secrets.key("key_encryption_key")?)
        .with("quote_signing_key", secrets.key("quote_signing_key")?)
        .with("database_connections", CONNECTIONS);
    if settings.get("smtp_url").is_none() {
        settings = settings.with("mail_dir", folder.mail().display().to_string());
    }
    // On loopback, for one machine: whoever tries it out need not enrol an app first.
    if settings.get("staff_mfa").is_none() {
        settings = settings.with("staff_mfa", "optional");
    }
    if let Some(email) = &start.admin_email {
        settings = settings.with("admin_email", email.clone());
    }
    if settings.get("admin_password").is_none() {
        settings = settings.with("generated_password_file", folder.admin_password().display().to_string());
    }
    if settings.get("audit_dir").is_none() {
        settings = settings.with("audit_dir", audit_folder(folder.path()).display().to_string());
    }
    if settings.get("audit_key").is_none() {
        settings = settings.with("audit_key", folder.audit_key()?);
    }
    for (service, listener) in all.iter().zip(listeners) {
        settings =
            settings.with(&format!("{}_url", service.name), format!("http://{}", listener.local_addr()?));
    }
    Ok(settings)
}

fn service_settings(
    shared: &Settings,
    folder: &Folder,
    service: &Service,
    postgres: &EmbeddedPostgres,
) -> Result<Settings> {
    let url = databases::app_url(folder, service, postgres.port())?;
    let mut settings = shared
        .clone()
        .with("database_url", url)
        .with("client_secret", folder.secrets().client(service.name)?);
    if settings.get("files_url").is_none() {
        settings = settings.with("files_url", folder.files_url(service.name)?);
    }
    Ok(settings)
}

fn serve_gateway(
    settings: &Settings,
    apps: &[App],
    simulation: Option<Simulation>,
    surroundings: &Surroundings,
    listener: TcpListener,
) -> Result<JoinHandle<()>> {
    let transport = surroundings.transport.clone();
    let discovery = Discovery::from_settings(settings, &transport);
    let verifier = Verifier::new(transport, discovery.clone(), settings.require("issuer")?);
    let mut upstreams = Vec::new();
    for app in apps {
        let description = serde_json::to_value(http::document(app.service()))?;
        upstreams.push(Upstream::local(app.name(), http::router(app), description));
    }
    if let Some(simulation) = simulation {
        upstreams.push(simulation::upstream(simulation));
    }
    let gateway = Gateway::new(settings, verifier, discovery, upstreams)?;
    #[expect(clippy::disallowed_methods, reason = "the handle is awaited by Platform::stop")]
    Ok(tokio::spawn(gateway.serve(listener, surroundings.stop.clone())))
}

/// The folder that is meant when none is named.
pub fn default_folder() -> PathBuf {
    Path::new(".quenty").join("data")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_whose_events_may_lie_in_rabbitmq_is_not_for_one_process() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = Folder::open(&scratch.path().join("my data")).unwrap();
        refuse_undelivered(&folder).unwrap();
        // Of a version that left no word, or after a kill.
        std::fs::create_dir(folder.rabbit()).unwrap();
        let refused = refuse_undelivered(&folder).unwrap_err().to_string();
        assert!(refused.contains("up --distributed --data '"), "{refused}");
        write_private(&folder.rabbit_is_empty(), b"").unwrap();
        refuse_undelivered(&folder).unwrap();
    }
}
