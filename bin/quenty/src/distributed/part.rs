//! One part of a distributed platform that runs as a process: how it is started again, and how it ends in order.

use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;
use quenty_platform::{
    bound_process::BoundProcess,
    bus::{BusAway, rabbit::RabbitBus},
    embedded_postgres::{EmbeddedPostgres, Options, Primary, Replica},
};
use quenty_servers::{consul::ConsulAgent, nginx::Nginx, rabbit::RabbitServer, redis::RedisServer};
use rand::RngCore;
use tokio_util::sync::CancellationToken;

use super::{
    environment::{Environment, NOT_PASSED_ON},
    layout::{GATEWAY, Member},
};
use crate::{embedded::write_private, output::tell, services};

/// Longer than a process takes: requests and workers finish (10 s), the journal gets its last checkpoint (10 s), connections
/// close (2 s), spans are sent (3 s), the runtime ends (2 s). That makes 27 s.
const STOP_LIMIT: Duration = Duration::from_secs(35);

pub enum Part {
    Postgres { options: Options, server: Option<EmbeddedPostgres> },
    Replica { options: Options, primary: Primary, server: Option<Replica> },
    Rabbit { server: RabbitServer, is_empty: PathBuf },
    Redis(RedisServer),
    Consul(Register),
    Nginx(Nginx),
    Quenty(Quenty),
}

impl Part {
    /// Its process, running or ended; none if it could not be started again.
    pub fn process(&self) -> Option<&BoundProcess> {
        match self {
            Self::Postgres { server, .. } => server.as_ref().map(EmbeddedPostgres::process),
            Self::Replica { server, .. } => server.as_ref().map(Replica::process),
            Self::Rabbit { server, .. } => server.process(),
            Self::Redis(server) => server.process(),
            Self::Consul(register) => register.agent.process(),
            Self::Nginx(server) => server.process(),
            Self::Quenty(process) => process.running.as_ref(),
        }
    }

    /// Starts it again, where it was; a PostgreSQL that recovers is not waited for once it is asked to end.
    ///
    /// # Errors
    /// When it does not come up; another try may succeed.
    pub async fn launch(&mut self, ending: &CancellationToken) -> Result<()> {
        match self {
            Self::Postgres { options, server } => {
                // The folder is free once this one has gone.
                *server = None;
                options.give_up = ending.clone();
                *server = Some(EmbeddedPostgres::start(options.clone()).await?);
            }
            Self::Replica { options, primary, server } => {
                *server = None;
                options.give_up = ending.clone();
                *server = Some(Replica::start(options.clone(), primary.clone()).await?);
            }
            Self::Rabbit { server, .. } => server.restart().await?,
            Self::Redis(server) => server.launch().await?,
            Self::Consul(register) => register.launch().await?,
            Self::Nginx(server) => server.launch().await?,
            Self::Quenty(process) => process.launch()?,
        }
        Ok(())
    }

    /// Lets it finish what it does, and waits for its end.
    ///
    /// # Errors
    /// When it did not end in order.
    pub async fn stop(&mut self) -> Result<()> {
        match self {
            Self::Postgres { server, .. } => {
                if let Some(server) = server.take() {
                    server.stop().await?;
                }
            }
            Self::Replica { server, .. } => {
                if let Some(server) = server.take() {
                    server.stop().await?;
                }
            }
            Self::Rabbit { server, is_empty } => {
                tell_what_waits(server, is_empty).await;
                server.stop().await?;
            }
            // These keep nothing.
            Self::Redis(server) => server.kill().await?,
            Self::Consul(register) => register.agent.kill().await?,
            Self::Nginx(server) => server.stop().await?,
            Self::Quenty(process) => process.stop().await?,
        }
        Ok(())
    }
}

/// Who would take anything in has ended. Where nothing waits, a platform in one process may have the folder next.
async fn tell_what_waits(server: &RabbitServer, is_empty: &Path) {
    let bus = RabbitBus::connect_lazily(&server.amqp_url("/"), services::topology());
    let held = async { Ok((bus.waiting().await?, bus.dead_letters().await?)) };
    let held: Result<(u32, u32), BusAway> = held.await;
    match held {
        Ok((0, _)) => drop(write_private(is_empty, b"")),
        Ok((count, 0)) => {
            tell!("rabbitmq keeps {count} events until this platform starts again, in many processes")
        }
        Ok((count, dead)) => tell!(
            "rabbitmq keeps {count} events until this platform starts again, in many processes; {dead} of them lie in quenty.dead, \
             since no service could read them: `quenty doctor` says then what to do"
        ),
        Err(error) => tell!("rabbitmq does not say whether it still holds events: {error}"),
    }
}

/// A process of `quenty serve`. Dropping it kills it.
pub struct Quenty {
    name: String,
    serves: &'static str,
    environment: Environment,
    log: PathBuf,
    running: Option<BoundProcess>,
}

impl Quenty {
    pub fn start(member: &Member, environment: Environment, log: PathBuf) -> Result<Self> {
        let (name, serves) = (member.name.clone(), member.serves);
        let mut process = Self { name, serves, environment, log, running: None };
        process.launch()?;
        Ok(process)
    }

    fn launch(&mut self) -> Result<()> {
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.with_context(|| format!("cannot write {}", self.log.display()))?;
        let mut command = self.command()?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        // One that drains would keep its port from the next platform; and being killed does no harm.
        let running = BoundProcess::spawn(&self.name, command, Signal::SIGKILL)
            .with_context(|| format!("cannot start {}", self.name))?;
        self.running = Some(running);
        Ok(())
    }

    fn command(&self) -> Result<Command> {
        let named = std::env::current_exe().context("cannot find this binary")?;
        let mut command = Command::new(what_runs(named));
        // Nor may a file say otherwise what it is told.
        for name in NOT_PASSED_ON.into_iter().chain(self.environment.keys().map(String::as_str)) {
            command.env_remove(name).env_remove(format!("{name}_FILE"));
        }
        command.env_remove(services::replica_variable(self.serves));
        command.args(["serve", self.serves]).envs(&self.environment);
        Ok(command)
    }

    async fn stop(&mut self) -> Result<()> {
        let Some(running) = self.running.take() else { return Ok(()) };
        running.signal(Signal::SIGTERM)?;
        let Ok(ended) = tokio::time::timeout(STOP_LIMIT, running.ended()).await else {
            running.signal(Signal::SIGKILL)?;
            bail!("it did not end within {STOP_LIMIT:?} and was killed");
        };
        let log = self.log.display();
        ensure!(ended.is_some_and(|status| status.success()), "it ended with {ended:?}, see {log}");
        Ok(())
    }
}

impl Drop for Quenty {
    fn drop(&mut self) {
        let Some(running) = &self.running else { return };
        if let Err(error) = running.signal(Signal::SIGKILL) {
            tracing::warn!(%error, pid = running.pid(), "a process of quenty may be left");
        }
    }
}

/// The register of services, and what each may do there.
pub struct Register {
    agent: ConsulAgent,
    /// By what a process serves; gone with the agent, so they are the same only as long as this platform runs.
    tokens: BTreeMap<&'static str, String>,
}

impl Register {
    pub async fn start(binary: &std::path::Path, dir: &std::path::Path) -> Result<Self> {
        let agent = ConsulAgent::start(binary, dir).await?;
        let names = services::names().into_iter().chain([GATEWAY]);
        let register = Self { agent, tokens: names.map(|name| (name, random_uuid())).collect() };
        register.grant().await?;
        Ok(register)
    }

    pub fn url(&self) -> String {
        self.agent.url()
    }

    pub fn port(&self) -> u16 {
        self.agent.port()
    }

    /// Of the processes that serve this.
    pub fn token(&self, serves: &str) -> &str {
        self.tokens.get(serves).map_or("", String::as_str)
    }

    async fn launch(&mut self) -> Result<()> {
        self.agent.launch().await?;
        self.grant().await
    }

    /// Everybody finds everybody, and registers under their own name only. Gateways are not looked for there.
    async fn grant(&self) -> Result<()> {
        for (name, secret) in &self.tokens {
            let writes = format!(r#"service "quenty-{name}" {{ policy = "write" }}"#);
            self.agent.grant(secret, if *name == GATEWAY { "" } else { &writes }).await?;
        }
        Ok(())
    }
}

/// As Consul wants its secrets to look.
fn random_uuid() -> String {
    let mut bytes = [0_u8; 16];
    rand::rng().fill_bytes(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// This very binary, also once another one lies in its place: the databases are as this one migrated them.
fn what_runs(named: PathBuf) -> PathBuf {
    if named.exists() { named } else { PathBuf::from("/proc/self/exe") }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn a_binary_that_was_replaced_still_starts_what_ended() {
        let folder = quenty_testkit::scratch_dir::ScratchDir::new("quenty-binary").unwrap();
        let binary = folder.path().join("true");
        std::fs::copy("/bin/true", &binary).unwrap();
        assert_eq!(what_runs(binary.clone()), binary);
        std::fs::remove_file(&binary).unwrap();
        let kept = what_runs(binary);
        assert!(Command::new(kept).arg("--list").stdout(Stdio::null()).status().unwrap().success());
    }

    #[test]
    fn other_servers_that_our_environment_names_are_not_those_of_a_process() {
        let environment = Environment::from([("QUENTY_REPLICA_URL".to_owned(), "own".to_owned())]);
        let (name, log) = ("order-1".to_owned(), PathBuf::new());
        let process = Quenty { name, serves: "order", environment, log, running: None };
        let command = process.command().unwrap();
        let said: BTreeMap<_, _> = command.get_envs().collect();
        assert_eq!(said.get(OsStr::new("QUENTY_REPLICA_URL")), Some(&Some(OsStr::new("own"))));
        for name in [
            "QUENTY_CONSUL_URL",
            "QUENTY_CONSUL_TOKEN",
            "QUENTY_CONSUL_TOKEN_FILE",
            "QUENTY_REDIS_URL",
            "QUENTY_REPLICA_URL_FILE",
            "QUENTY_ORDER_REPLICA_URL",
        ] {
            assert_eq!(said.get(OsStr::new(name)), Some(&None), "{name}");
        }
    }
}
