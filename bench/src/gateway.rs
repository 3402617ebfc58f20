//! The gateway beside nginx: the same upstream, the same load by `wrk`, in rounds that take turns. The gateway checks
//! tokens, counts for limits and metrics; nginx only forwards, or does the like by `auth_request` and `limit_req`. Beside
//! them a proxy on the gateway's own engine that only forwards, too.
//!
//! Each of the proxies has one worker. Processor time for each request is the steadier figure, since the load and
//! the upstream share the cores with the proxies.

mod bare;
mod load;
mod nginx;

pub(crate) use bare::forward;

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use quenty_platform::bound_process::BoundProcess;
use quenty_testkit::{ports::free_ports, scratch_dir::ScratchDir};

use self::load::{Load, Round};
use crate::{
    Effort,
    harness::{Cast, Cluster, cluster::GATEWAY, process::Process, until},
    memory::pss,
    report,
};

const CONNECTIONS: [usize; 2] = [64, 256];
const IDLE_CONNECTIONS: usize = 1_000;
/// What is asked for: any operation with a token does.
const PATH: &str = "/api/v1/products";

/// Who is loaded.
struct Proxy {
    name: &'static str,
    pid: i32,
    url: String,
    rounds: Vec<Round>,
}

impl Proxy {
    fn new(name: &'static str, pid: i32, port: u16) -> Self {
        Self { name, pid, url: format!("http://127.0.0.1:{port}{PATH}"), rounds: Vec::new() }
    }

    fn sum(&self, of: impl Fn(&Round) -> f64) -> f64 {
        self.rounds.iter().map(of).sum()
    }

    fn per_second(&self) -> f64 {
        self.sum(|round| round.requests) / self.sum(|round| round.seconds)
    }

    /// Requests for each second of its processor time.
    fn per_cpu_second(&self) -> f64 {
        self.sum(|round| round.requests) / self.sum(|round| round.cpu_seconds)
    }

    /// The median of the rounds, in milliseconds.
    fn p99(&self) -> Result<f64> {
        let mut all: Vec<f64> = self.rounds.iter().map(|round| round.p99_ms).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().with_context(|| format!("{} was never measured", self.name))
    }
}

/// A process that answers at a port.
struct Server {
    process: BoundProcess,
    port: u16,
}

impl Server {
    async fn start(name: &str, command: Command, port: u16) -> Result<Self> {
        let process = BoundProcess::spawn(name, command, Signal::SIGKILL)?;
        until(Duration::from_secs(10), &format!("{name} listens"), async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        Ok(Self { process, port })
    }

    fn pid(&self) -> i32 {
        self.process.pid()
    }

    fn stop(self) -> Result<()> {
        self.process.signal(Signal::SIGTERM)?;
        Ok(())
    }
}

pub async fn measure(effort: Effort) -> Result<()> {
    let folder = ScratchDir::new("quenty-bench-gateway")?;
    let upstream =
        nginx::start(folder.path(), "upstream", &nginx::upstream(Path::new("docs/openapi"))?).await?;
    let plain = nginx::start(folder.path(), "plain", &nginx::plain(upstream.port)).await?;
    let guarded = nginx::start(folder.path(), "guarded", &nginx::guarded(upstream.port)).await?;
    let bare = bare::start(upstream.port).await?;

    let mut cluster = Cluster::start().await;
    let token = Cast::enter(&cluster.stage).await.merchant.client.token().to_owned();
    let [port] = free_ports()?;
    let own = [
        ("QUENTY_ORDER_URL", format!("http://127.0.0.1:{}", upstream.port)),
        // Counted for each request, and never used up.
        ("QUENTY_LIMIT_READ", "100000000/1".to_owned()),
        ("TOKIO_WORKER_THREADS", "1".to_owned()),
    ];
    let gateway =
        gateway_before(&cluster, port, own.map(|(name, value)| (name.to_owned(), value)), folder.path());
    // What stays is who signs tokens and says which were revoked.
    for name in cluster.names().iter().filter(|name| *name != "auth") {
        cluster.kill(name).await;
    }
    let load = Load::new(&token, Duration::from_secs(effort.of(6, 1)));
    let mut proxies = [
        Proxy::new("the gateway", gateway.pid(), port),
        Proxy::new("nginx", plain.pid(), plain.port),
        Proxy::new("nginx with auth_request and limit_req", guarded.pid(), guarded.port),
        Proxy::new("the bare engine", bare.pid(), bare.port),
    ];
    until(Duration::from_secs(30), "the gateway knows the upstream", async || {
        load.is_answered(&proxies[0].url).await.then_some(())
    })
    .await;

    let idle = [idle_memory(&proxies[0]).await?, idle_memory(&proxies[1]).await?];
    report::tell("gateway_1000_idle_connections", "MiB", idle[0], idle[1])?;
    for connections in CONNECTIONS {
        for round in 0..effort.of(5, 1) + 1 {
            for proxy in &mut proxies {
                let measured = load.run(&proxy.url, connections, proxy.pid)?;
                // The first fills caches and pools.
                if round > 0 {
                    eprintln!(
                        "  {connections} connections: {:.0} requests/s by {}",
                        measured.requests / measured.seconds,
                        proxy.name
                    );
                    proxy.rounds.push(measured);
                }
            }
        }
        tell(connections, &proxies)?;
        proxies.iter_mut().for_each(|proxy| proxy.rounds.clear());
    }
    for server in [upstream, plain, guarded, bare] {
        server.stop()?;
    }
    drop(gateway);
    cluster.kill("auth").await;
    cluster.stop().await;
    Ok(())
}

fn tell(connections: usize, [gateway, plain, guarded, bare]: &[Proxy; 4]) -> Result<()> {
    let name = format!("gateway_{connections}_connections");
    report::tell(&name, "requests/s", gateway.per_second(), plain.per_second())?;
    report::tell(&format!("{name}_cpu"), "requests/CPU s", gateway.per_cpu_second(), plain.per_cpu_second())?;
    report::tell(&format!("{name}_p99"), "ms", gateway.p99()?, plain.p99()?)?;
    report::tell(&format!("{name}_over_guarded"), "requests/s", gateway.per_second(), guarded.per_second())?;
    report::tell(
        &format!("{name}_over_guarded_cpu"),
        "requests/CPU s",
        gateway.per_cpu_second(),
        guarded.per_cpu_second(),
    )?;
    report::tell(
        &format!("{name}_over_bare_cpu"),
        "requests/CPU s",
        gateway.per_cpu_second(),
        bare.per_cpu_second(),
    )?;
    report::tell(
        &format!("bare_engine_{connections}_connections_cpu"),
        "requests/CPU s",
        bare.per_cpu_second(),
        plain.per_cpu_second(),
    )
}

/// One more gateway, with settings of its own.
pub(crate) fn gateway_before(
    cluster: &Cluster,
    port: u16,
    own: impl IntoIterator<Item = (String, String)>,
    folder: &Path,
) -> Process {
    let mut environment = cluster.environment(GATEWAY).clone();
    environment.insert("QUENTY_PORT".to_owned(), port.to_string());
    // nginx writes no line for each request either.
    environment.insert("QUENTY_LOG".to_owned(), "warn".to_owned());
    environment.extend(own);
    Process::start("the measured gateway", &["serve", GATEWAY], &environment, &folder.join("gateway.log"))
}

/// What it holds, in MiB, while so many clients are connected and ask nothing.
async fn idle_memory(proxy: &Proxy) -> Result<f64> {
    let clients = load::connect(&proxy.url, IDLE_CONNECTIONS).await?;
    let held = pss(proxy.pid)?;
    drop(clients);
    Ok(held)
}

/// In seconds, of user and system together.
fn cpu_seconds(pid: i32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).context("the process has ended")?;
    let (_, after_name) = stat.rsplit_once(')').context("no name in stat")?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    // proc(5): fields 14 and 15 of the line, of which two stand before here.
    let ticks: f64 = fields.get(11).context("no utime")?.parse::<f64>()?
        + fields.get(12).context("no stime")?.parse::<f64>()?;
    Ok(ticks / 100.0)
}
