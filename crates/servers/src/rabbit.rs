//! A private RabbitMQ: the installed server, on loopback, with its own port mapper, cookie and node name.
//!
//! It never meets a broker of the system, and never outlives the process that started it.

mod management;

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use nix::sys::signal::Signal;
use nix::unistd::{Uid, User, chown};
use quenty_platform::bound_process::BoundProcess;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub use self::management::RabbitBroker;
use crate::{certificates::Files, make_private_dir, ports::free_ports, random_password, write_private};

const LIBRARY: &str = "/usr/lib/rabbitmq/lib";
/// Ten seconds on two idle cores; tests rarely have them idle.
const START_LIMIT: Duration = Duration::from_secs(120);
const STOP_LIMIT: Duration = Duration::from_secs(60);
const PLUGINS: &str = "[rabbitmq_management].\n";

/// A server of our own. Dropping it kills it.
#[derive(Debug)]
pub struct RabbitServer {
    setup: Setup,
    broker: RabbitBroker,
    running: Option<Running>,
}

/// What stays the same over restarts.
#[derive(Debug)]
struct Setup {
    dir: PathBuf,
    sbin: PathBuf,
    account: Option<User>,
    amqp: u16,
    /// The port, and what is shown there.
    tls: Option<(u16, Files)>,
    management: u16,
    distribution: u16,
    epmd: u16,
}

#[derive(Debug)]
struct Running {
    node: BoundProcess,
    /// Started by us and not by the node, which would leave it behind as a daemon.
    epmd: BoundProcess,
}

impl Drop for Running {
    fn drop(&mut self) {
        for process in [&self.node, &self.epmd] {
            if let Err(error) = process.signal(Signal::SIGKILL) {
                tracing::warn!(%error, pid = process.pid(), "a process of rabbitmq may be left");
            }
        }
    }
}

impl RabbitServer {
    /// Starts a broker that keeps its data in `dir`, which it makes when missing; returns when it answers.
    pub async fn start(dir: &Path) -> anyhow::Result<Self> {
        Self::start_with(dir, None).await
    }

    /// As [`RabbitServer::start`], on a second port by TLS, for who shows a certificate of the same authority.
    pub async fn start_with_tls(dir: &Path, files: &Files) -> anyhow::Result<Self> {
        Self::start_with(dir, Some(files)).await
    }

    async fn start_with(dir: &Path, files: Option<&Files>) -> anyhow::Result<Self> {
        let [amqp, amqps, management, distribution, epmd] = free_ports()?;
        let account = account()?;
        let sbin = scripts()?;
        make_private_dir(dir)?;
        let dir = fs::canonicalize(dir)?;
        let owner = account.as_ref().map(|user| (user.uid, user.gid));
        let files = files.map(|files| files.owned_by(&dir, owner)).transpose()?;
        let tls = files.map(|files| (amqps, files));
        let setup = Setup { dir, sbin, account, amqp, tls, management, distribution, epmd };
        let password = password(&setup.dir)?;
        setup.write_files(&password)?;
        let broker = RabbitBroker::new("quenty", &password, amqp, management)?;
        let mut server = Self { setup, broker, running: None };
        server.launch().await?;
        Ok(server)
    }

    /// The broker as its clients see it.
    #[must_use]
    pub fn broker(&self) -> &RabbitBroker {
        &self.broker
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.setup.amqp
    }

    /// The node's process, once it was started.
    #[must_use]
    pub fn process(&self) -> Option<&BoundProcess> {
        self.running.as_ref().map(|running| &running.node)
    }

    #[must_use]
    pub fn amqp_url(&self, vhost: &str) -> String {
        self.broker.amqp_url(vhost)
    }

    /// As [`RabbitServer::amqp_url`], by TLS, where the server is called by this name.
    #[must_use]
    pub fn amqps_url(&self, name: &str, vhost: &str) -> String {
        let port = self.setup.tls.as_ref().map_or(0, |(port, _)| *port);
        let plain = self.amqp_url(vhost);
        plain
            .replace("amqp://", "amqps://")
            .replace(&format!("127.0.0.1:{}", self.setup.amqp), &format!("{name}:{port}"))
    }

    /// Stops the broker in good order; its data stays.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        let Some(running) = self.running.take() else { return Ok(()) };
        tokio::task::spawn_blocking(move || {
            running.node.signal(Signal::SIGTERM)?;
            let stopped = running.node.wait(STOP_LIMIT).is_some();
            running.end()?;
            ensure!(stopped, "rabbitmq did not stop within {STOP_LIMIT:?} and was killed");
            Ok(())
        })
        .await?
    }

    /// Kills the broker without warning; its data stays. Confirmed messages survive this, but RabbitMQ writes its
    /// register of quorum queues lazily: one declared in the last two seconds is there afterwards and never answers.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        let Some(running) = self.running.take() else { return Ok(()) };
        tokio::task::spawn_blocking(move || running.end()).await?
    }

    /// Starts the broker again on its data and its ports, stopping it first if it runs.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.stop().await?;
        self.launch().await
    }

    async fn launch(&mut self) -> anyhow::Result<()> {
        let setup = &self.setup;
        let epmd = BoundProcess::spawn("epmd", setup.epmd_command(), Signal::SIGKILL)
            .context("cannot start epmd, which comes with rabbitmq-server")?;
        let node = BoundProcess::spawn("rabbitmq", setup.node_command()?, Signal::SIGKILL)
            .context("cannot start rabbitmq-server")?;
        let running = self.running.insert(Running { node, epmd });

        let deadline = Instant::now() + START_LIMIT;
        while !answers_amqp(setup.amqp).await || !self.broker.is_up().await {
            if let Some(status) = running.node.exit_status() {
                bail!("rabbitmq ended with {status}: {}", setup.last_words());
            }
            ensure!(Instant::now() < deadline, "rabbitmq does not answer: {}", setup.last_words());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }
}

impl Running {
    fn end(&self) -> anyhow::Result<()> {
        for process in [&self.node, &self.epmd] {
            process.signal(Signal::SIGKILL)?;
            process.wait(STOP_LIMIT).with_context(|| format!("process {} stays", process.pid()))?;
        }
        Ok(())
    }
}

impl Setup {
    fn write_files(&self, password: &str) -> anyhow::Result<()> {
        // Statistics are kept by the second, so that a test that waits for a count of messages need not wait long.
        let Self { amqp, management, .. } = self;
        let tls = self.tls.as_ref().map_or_else(String::new, |(port, files)| {
            format!(
                "listeners.ssl.1 = 127.0.0.1:{port}\n\
                 ssl_options.cacertfile = {}\n\
                 ssl_options.certfile = {}\n\
                 ssl_options.keyfile = {}\n\
                 ssl_options.verify = verify_peer\n\
                 ssl_options.fail_if_no_peer_cert = true\n",
                files.authority, files.certificate, files.key
            )
        });
        let config = format!(
            "listeners.tcp.1 = 127.0.0.1:{amqp}\n\
             management.tcp.ip = 127.0.0.1\n\
             management.tcp.port = {management}\n\
             default_user = quenty\n\
             default_pass = {password}\n\
             log.console = false\n\
             log.file.level = warning\n\
             collect_statistics_interval = 500\n\
             management.sample_retention_policies.global.minute = 1\n\
             management.sample_retention_policies.basic.minute = 1\n\
             management.sample_retention_policies.detailed.10 = 1\n\
             vm_memory_high_watermark.absolute = 1GiB\n\
             disk_free_limit.absolute = 50MB\n\
             {tls}"
        );
        write_private(&self.dir.join("rabbitmq.conf"), &config)?;
        fs::write(self.dir.join("enabled_plugins"), PLUGINS)?;
        for folder in ["home", "log", "mnesia"] {
            make_private_dir(&self.dir.join(folder))?;
        }
        if let Some(user) = &self.account {
            for name in ["", "home", "log", "mnesia", "rabbitmq.conf", "enabled_plugins"] {
                chown(&self.dir.join(name), Some(user.uid), Some(user.gid))?;
            }
        }
        Ok(())
    }

    fn epmd_command(&self) -> Command {
        let mut command = self.command("epmd");
        command.args(["-port", &self.epmd.to_string(), "-address", "127.0.0.1"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn node_command(&self) -> anyhow::Result<Command> {
        let output = fs::OpenOptions::new().create(true).append(true).mode(0o600).open(self.output())?;
        let mut command = self.command(self.sbin.join("rabbitmq-server"));
        command.stdout(output.try_clone()?).stderr(output);
        for (name, value) in [
            ("RABBITMQ_MNESIA_BASE", "mnesia"),
            ("RABBITMQ_LOG_BASE", "log"),
            ("RABBITMQ_CONFIG_FILE", "rabbitmq.conf"),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", "enabled_plugins"),
            ("RABBITMQ_PID_FILE", "pid"),
        ] {
            command.env(name, self.dir.join(value));
        }
        // The data of a node is bound to its name. Every broker has its own port mapper, so names may repeat.
        command.env("RABBITMQ_NODENAME", "quenty@localhost");
        command.env("RABBITMQ_DIST_PORT", self.distribution.to_string());
        command.env("RABBITMQ_CONF_ENV_FILE", "/dev/null");
        // Makes the script become the server, instead of waiting beside it and hiding its process id.
        command.env("RUNNING_UNDER_SYSTEMD", "true");
        // Loopback only, few threads that do not spin, and counts of queues that are fresh enough for a test.
        let erlang = "-kernel inet_dist_use_interface {127,0,0,1} -rabbit quorum_tick_interval 500 \
                      +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none";
        command.env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", erlang);
        Ok(command)
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.dir.join("home")).env("LANG", "C.UTF-8").current_dir(&self.dir);
        command.env("ERL_EPMD_PORT", self.epmd.to_string()).env("ERL_EPMD_ADDRESS", "127.0.0.1");
        command.stdin(Stdio::null());
        if let Some(user) = &self.account {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }

    fn output(&self) -> PathBuf {
        self.dir.join("output.log")
    }

    fn last_words(&self) -> String {
        let text = fs::read_to_string(self.output()).unwrap_or_else(|error| error.to_string());
        let lines: Vec<_> = text.lines().rev().take(20).collect();
        format!("{} (see {})", lines.into_iter().rev().collect::<Vec<_>>().join("\n"), self.dir.display())
    }
}

/// Of the only user. The server takes it from its configuration at its first start, and then knows it for ever.
fn password(dir: &Path) -> anyhow::Result<String> {
    let path = dir.join("password");
    // With an empty one no server was ever started.
    let is_made = fs::metadata(&path).is_ok_and(|file| file.len() > 0);
    if !is_made {
        write_private(&path, &random_password())?;
    }
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// Root starts the broker as the account of its package; anyone else as themselves.
fn account() -> anyhow::Result<Option<User>> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    let user = User::from_name("rabbitmq")?;
    user.map(Some).context("there is no user rabbitmq: run `apt-get install rabbitmq-server`")
}

/// The scripts of the newest installed version. Those in /usr/sbin switch users and drop the environment.
fn scripts() -> anyhow::Result<PathBuf> {
    let folders =
        fs::read_dir(LIBRARY).into_iter().flatten().flatten().map(|entry| entry.path().join("sbin"));
    let newest = folders.filter(|sbin| sbin.join("rabbitmq-server").is_file()).max();
    newest.context("rabbitmq is not installed: run `apt-get install rabbitmq-server`")
}

/// An open port is not enough: the broker accepts connections before it can serve them.
async fn answers_amqp(port: u16) -> bool {
    let greeting = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(b"AMQP\x00\x00\x09\x01").await?;
        stream.read_u8().await
    };
    const METHOD_FRAME: u8 = 1;
    let answer = tokio::time::timeout(Duration::from_secs(2), greeting).await;
    matches!(answer, Ok(Ok(METHOD_FRAME)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_kept_and_an_empty_file_holds_none() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("password"), "").unwrap();
        let made = password(dir.path()).unwrap();
        assert!(!made.is_empty());
        assert_eq!(password(dir.path()).unwrap(), made);
    }
}
