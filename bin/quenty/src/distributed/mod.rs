//! The distributed platform on one machine: every service as a process of its own, nginx before two gateways, order twice,
//! on a PostgreSQL with a replica, RabbitMQ, Redis and Consul that nobody else uses; wired as production would wire
//! them (ADR 13). All of it lives in one folder.

mod environment;
mod front;
mod keeper;
mod layout;
mod part;

use std::{
    fs,
    io::ErrorKind,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Result, bail, ensure};
use quenty_platform::{
    client::Transport,
    db,
    embedded_postgres::{EmbeddedPostgres, Options, Primary, Replica},
};
use quenty_servers::{nginx::Nginx, ports::free_ports, rabbit::RabbitServer, redis::RedisServer};
use serde_json::json;
use tokio_util::sync::CancellationToken;

pub use self::environment::CERTIFICATES;
use self::{
    environment::{Ground, refuse_other_servers},
    keeper::{Board, Kept, Stage},
    layout::{FRONT, GATEWAY, Layout},
    part::{Part, Quenty, Register},
};
use crate::{
    commands::certs,
    demo::Backstage,
    embedded::{
        Announcement, Folder, databases, mark_as_lived, processes_file, refuse_simulation, servers_file,
        write_private,
    },
    health,
    output::tell,
    services,
};

const START_LIMIT: Duration = Duration::from_secs(120);
const READY_POLL: Duration = Duration::from_millis(50);
/// A platform of which so much has ended before it was ready will not be ready.
const MOST_DEATHS: usize = 5;

/// How it is started.
pub struct Wanted {
    pub data: PathBuf,
    /// Take free ports instead of the mission's.
    pub free_ports: bool,
    /// For the first start; otherwise the setting's.
    pub admin_email: Option<String>,
    /// Consul's binary; without it, addresses are the settings'.
    pub consul: Option<PathBuf>,
}

/// What runs where, for people.
pub struct Line {
    pub name: String,
    pub address: String,
    pub about: &'static str,
}

/// A running platform.
pub struct Distributed {
    pub folder: Folder,
    pub layout: Layout,
    pub lines: Vec<Line>,
    stages: Vec<Stage>,
    _announced: Announcement,
}

/// The servers below the services.
struct Servers {
    postgres_port: u16,
    replica: Replica,
    replica_options: Options,
    primary: Primary,
    rabbit: RabbitServer,
    redis: RedisServer,
    consul: Option<Register>,
}

impl Distributed {
    /// Starts everything; returns when all of it is ready.
    ///
    /// # Errors
    /// When the folder is in use, a port is taken, or a server is not installed or does not start. Nothing is left
    /// running then.
    pub async fn start(wanted: &Wanted, stop: &CancellationToken) -> Result<Self> {
        refuse_other_servers(&services::settings_of_file()?)?;
        ensure!(Nginx::is_installed(), "nginx is not installed: run `scripts/ensure-packages distributed`");
        let folder = Folder::open(&wanted.data)?;
        refuse_simulation(&folder)?;
        let layout = Layout::choose(wanted.free_ports, &folder)?;
        let mut stages = Vec::new();
        match begin(wanted, &folder, &layout, &mut stages, stop).await {
            Ok((lines, announced)) => Ok(Self { folder, layout, lines, stages, _announced: announced }),
            Err(error) => {
                end(stages).await;
                Err(error)
            }
        }
    }

    /// Where clients go.
    pub fn url(&self) -> String {
        self.layout.url()
    }

    /// What the demo needs to know of this platform.
    ///
    /// # Errors
    /// When the administrator's password is nowhere.
    pub fn backstage(&self, admin: Option<&str>) -> Result<Backstage> {
        Backstage::of_folder(self.url(), &self.folder, admin)
    }

    /// Ends everything in order: nothing new comes in, requests finish, workers stop, the servers shut down.
    pub async fn stop(self) {
        end(self.stages).await;
    }
}

/// The last that was started is the first to end.
async fn end(stages: Vec<Stage>) {
    for stage in stages.into_iter().rev() {
        stage.end().await;
    }
}

async fn begin(
    wanted: &Wanted,
    folder: &Folder,
    layout: &Layout,
    stages: &mut Vec<Stage>,
    stop: &CancellationToken,
) -> Result<(Vec<Line>, Announcement)> {
    let board = Board::new(processes_file(folder.path()));
    // First, since it holds the folder against another platform.
    let servers = start_servers(wanted, folder, &board, stages, stop).await?;
    let ground = Ground {
        folder,
        layout,
        wanted,
        rabbit: &servers.rabbit,
        redis: &servers.redis,
        consul: servers.consul.as_ref(),
        postgres_port: servers.postgres_port,
        replica_port: servers.replica.port(),
    };
    let started = async {
        mark_as_lived(folder)?;
        // Before anybody can send anything.
        match fs::remove_file(folder.rabbit_is_empty()) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        ground.declare_topology().await?;
        tell_servers(folder, &servers)?;
        certs::make_for_one_run(&folder.path().join(CERTIFICATES))?;
        start_processes(&ground)
    };
    let started: Result<Vec<Kept>> = started.await;
    let servers = servers.kept(folder);
    let of_servers: Vec<_> =
        servers.iter().map(|(kept, about)| line(&kept.name, &kept.address, about)).collect();
    // Also where something failed: queues that were declared a moment ago do not survive a broker that is killed.
    stages.push(Stage::keep(servers.into_iter().map(|(kept, _)| kept).collect(), &board));
    let (gateways, of_services): (Vec<_>, Vec<_>) =
        started?.into_iter().partition(|kept| kept.name.starts_with(GATEWAY));
    let mut lines = vec![line(FRONT, &layout.url(), "the way in: /docs/ (the API), /health")];
    lines.extend(gateways.iter().map(|kept| line(&kept.name, &kept.address, "/docs/ /health /metrics")));
    lines.extend(
        of_services.iter().map(|kept| line(&kept.name, &kept.address, "/openapi.json /health /metrics")),
    );
    lines.extend(of_servers);
    stages.push(Stage::keep(of_services, &board));
    stages.push(Stage::keep(gateways, &board));
    for gateway in layout.serving(GATEWAY) {
        wait_until_ready(&gateway.url(), folder, &board, stop).await?;
    }
    let nginx = Nginx::start(&folder.path().join(FRONT), layout.front, &front::config(layout)).await?;
    let kept = Kept { name: FRONT.to_owned(), address: layout.url(), part: Part::Nginx(nginx) };
    stages.push(Stage::keep(vec![kept], &board));
    wait_until_ready(&layout.url(), folder, &board, stop).await?;
    Ok((lines, folder.announce(&layout.url())?))
}

fn line(name: &str, address: &str, about: &'static str) -> Line {
    Line { name: name.to_owned(), address: address.to_owned(), about }
}

/// The databases first; PostgreSQL is the last to end.
async fn start_servers(
    wanted: &Wanted,
    folder: &Folder,
    board: &Board,
    stages: &mut Vec<Stage>,
    stop: &CancellationToken,
) -> Result<Servers> {
    let in_folder = |name: &str| folder.path().join(name);
    let [port, replica_port] = free_ports()?;
    let options = Options {
        port: Some(port),
        replicated: true,
        give_up: stop.clone(),
        ..Options::new(folder.postgres())
    };
    let server = EmbeddedPostgres::start(options.clone()).await?;
    let superuser = databases::superuser_url(&server);
    let password = folder.secrets().key("replication")?.replace(['+', '/', '='], "");
    let primary = Primary { data_dir: folder.postgres(), port, password };
    let migrated = async {
        databases::migrate(&services::all(), folder, &server).await?;
        databases::tell(&services::all(), folder, port)?;
        Ok(db::create_replication_role(&superuser, &primary.password).await?)
    };
    let migrated: Result<()> = migrated.await;
    let address = format!("127.0.0.1:{port}");
    let part = Part::Postgres { options: options.clone(), server: Some(server) };
    stages.push(Stage::keep(vec![Kept { name: "postgres".to_owned(), address, part }], board));
    migrated?;

    // It is copied anew at each start, so it need not survive anything.
    let replica_options =
        Options { port: Some(replica_port), data_dir: in_folder("replica"), ephemeral: true, ..options };
    let (rabbit_dir, redis_dir, consul_dir) = (folder.rabbit(), in_folder("redis"), in_folder("consul"));
    // No start has filled it.
    if !rabbit_dir.exists() {
        fs::DirBuilder::new().mode(0o700).create(&rabbit_dir)?;
        write_private(&folder.rabbit_is_empty(), b"")?;
    }
    let users: [(&str, &[&str]); 1] = [(GATEWAY, &["limits", "cache"])];
    let (replica, rabbit, redis, consul) = tokio::try_join!(
        async { Ok(Replica::start(replica_options.clone(), primary.clone()).await?) },
        RabbitServer::start(&rabbit_dir),
        RedisServer::start(&redis_dir, &users),
        start_consul(wanted.consul.as_deref(), &consul_dir),
    )?;
    Ok(Servers { postgres_port: port, replica, replica_options, primary, rabbit, redis, consul })
}

async fn start_consul(binary: Option<&Path>, dir: &Path) -> Result<Option<Register>> {
    match binary {
        Some(binary) => Register::start(binary, dir).await.map(Some),
        None => {
            tell!(
                "*** THERE IS NO CONSUL HERE (scripts/ensure-consul): addresses are the settings', and nothing tells of \
                 processes that come and go ***"
            );
            Ok(None)
        }
    }
}

impl Servers {
    /// All but PostgreSQL, with what they are for.
    fn kept(self, folder: &Folder) -> Vec<(Kept, &'static str)> {
        let kept = |name: &str, port: u16, part: Part| Kept {
            name: name.to_owned(),
            address: format!("127.0.0.1:{port}"),
            part,
        };
        let replica_port = self.replica.port();
        let replica = Part::Replica {
            options: self.replica_options,
            primary: self.primary,
            server: Some(self.replica),
        };
        let (amqp, redis) = (self.rabbit.port(), self.redis.port());
        let rabbit = Part::Rabbit { server: self.rabbit, is_empty: folder.rabbit_is_empty() };
        let mut all = vec![
            (kept("postgres-replica", replica_port, replica), "follows postgres, answers lists of order"),
            (kept("rabbitmq", amqp, rabbit), "events"),
            (kept("redis", redis, Part::Redis(self.redis)), "the gateways' counters"),
        ];
        if let Some(register) = self.consul {
            let port = register.port();
            all.push((kept("consul", port, Part::Consul(register)), "who is where, and well"));
        }
        all
    }
}

/// Writes where the servers are, for operators' own tools.
fn tell_servers(folder: &Folder, servers: &Servers) -> Result<()> {
    let told = json!({
        "rabbitmq": servers.rabbit.amqp_url("/"),
        "rabbitmq_management": servers.rabbit.broker().management_url(),
        "redis": servers.redis.url(GATEWAY),
        "consul": servers.consul.as_ref().map(Register::url),
    });
    write_private(&servers_file(folder.path()), &serde_json::to_vec_pretty(&told)?)
}

fn start_processes(ground: &Ground<'_>) -> Result<Vec<Kept>> {
    let logs = ground.folder.path().join("logs");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&logs)?;
    let start = |member: &layout::Member| {
        let log = logs.join(format!("{}.log", member.name));
        let process = Quenty::start(member, ground.environment(member)?, log)?;
        Ok(Kept { name: member.name.clone(), address: member.url(), part: Part::Quenty(process) })
    };
    ground.layout.members.iter().map(start).collect()
}

async fn wait_until_ready(url: &str, folder: &Folder, board: &Board, stop: &CancellationToken) -> Result<()> {
    let transport = Transport::default();
    let url = format!("{url}/health");
    let deadline = tokio::time::Instant::now() + START_LIMIT;
    loop {
        let told = health::read(&transport, &url).await;
        if told.as_ref().is_ok_and(health::Health::is_ready) {
            return Ok(());
        }
        ensure!(!stop.is_cancelled(), "asked to end before everything was ready");
        let logs = folder.path().join("logs");
        ensure!(board.deaths() < MOST_DEATHS, "processes keep ending: {} says why", logs.display());
        if tokio::time::Instant::now() >= deadline {
            let missing = told.map_or_else(|why| why, |health| health.missing());
            bail!("the platform is not ready after {START_LIMIT:?} (see {}): {missing}", logs.display());
        }
        tokio::time::sleep(READY_POLL).await;
    }
}

/// Consul's binary: as told, on the `PATH`, or where `scripts/ensure-consul` keeps it.
pub fn find_consul(told: Option<PathBuf>) -> Result<Option<PathBuf>> {
    if let Some(told) = told {
        ensure!(told.is_file(), "{} is no binary of Consul", told.display());
        return Ok(Some(told));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<PathBuf> = std::env::split_paths(&path).map(|folder| folder.join("consul")).collect();
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let kept = cache.map(|cache| cache.join("quenty/consul"));
    Ok(on_path.into_iter().chain(kept).find(|path| path.is_file()))
}
