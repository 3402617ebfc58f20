//! A private PostgreSQL server in a folder: what `quenty up` and the tests store their data in.
//!
//! It runs the installed binaries as an ordinary user, listens on loopback and a socket only, and never outlives
//! its platform unnoticed: it is a [`BoundProcess`], and whatever an earlier run left behind is stopped before a
//! new server starts. It must never touch a folder that another process holds, that another major version
//! wrote, or that holds anything else. Linux only.

mod account;
mod cluster;
mod error;
mod installation;
mod leftovers;
mod lock;
mod replica;

use std::fs::{File, OpenOptions};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tokio_util::sync::CancellationToken;

use self::account::Account;
use self::cluster::Cluster;
pub use self::error::EmbeddedPostgresError;
use self::error::{Result, io};
use self::installation::Installation;
use self::lock::FolderLock;
pub use self::replica::{Primary, Replica};
use crate::bound_process::BoundProcess;

/// For how long a server that starts may say nothing of itself.
const START_LIMIT: Duration = Duration::from_secs(120);
/// How often people are told that it still recovers.
const TOLD_EVERY: Duration = Duration::from_secs(60);
/// A fast shutdown writes a checkpoint; past this the server is told to stop at once and recover next time.
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// How often a start with a free port is tried again when someone took the port in between.
const PORT_TRIES: usize = 5;

/// How to start the server.
#[derive(Debug, Clone)]
pub struct Options {
    /// A folder of its own; made when missing.
    pub data_dir: PathBuf,
    /// Nothing has to survive a crash: no fsync. For tests and throw-away platforms.
    pub ephemeral: bool,
    /// The TCP port on 127.0.0.1; any free one when absent.
    pub port: Option<u16>,
    /// Where the server writes its log; `postgresql.log` in the data folder when absent.
    pub log: Option<PathBuf>,
    pub max_connections: u16,
    /// It has a replica, or is one: it keeps more of its log, and the replica's reads are not cut off.
    pub replicated: bool,
    /// Who cancels it while the server is not ready yet has the start fail and the server stopped: recovery takes its time.
    pub give_up: CancellationToken,
}

impl Options {
    /// A durable server on any free port.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            ephemeral: false,
            port: None,
            log: None,
            max_connections: 200,
            replicated: false,
            give_up: CancellationToken::new(),
        }
    }
}

/// A running server. Dropping it asks the server to stop and does not wait; prefer [`Self::stop`].
#[derive(Debug)]
pub struct EmbeddedPostgres {
    server: BoundProcess,
    cluster: Cluster,
    port: u16,
    log: PathBuf,
    _lock: FolderLock,
}

impl EmbeddedPostgres {
    /// Starts the server, making its database cluster first when the folder holds none.
    pub async fn start(options: Options) -> Result<Self> {
        tokio::task::spawn_blocking(move || Self::start_blocking(&options)).await.map_err(|error| {
            EmbeddedPostgresError::Start { log: PathBuf::new(), output: error.to_string() }
        })?
    }

    /// The same for callers without an async runtime.
    pub fn start_blocking(options: &Options) -> Result<Self> {
        Self::open_and_launch(options, &options.data_dir, Cluster::open)
    }

    /// By the installed version that the cluster in `like` is of.
    fn open_and_launch(
        options: &Options,
        like: &Path,
        open: impl FnOnce(&Path, Installation, Account, &Options) -> Result<Cluster>,
    ) -> Result<Self> {
        let data_dir = lock::claim_folder(&options.data_dir)?;
        let lock = FolderLock::take(&data_dir)?;
        let installation = installation::find(cluster::major_version(like)?, like)?;
        let account = Account::for_folder(&data_dir)?;
        account.own(&data_dir)?;
        account.check_can_reach(&data_dir)?;
        leftovers::stop(&data_dir.join(cluster::PGDATA))?;
        let cluster = open(&data_dir, installation, account, options)?;
        let log = options.log.clone().unwrap_or_else(|| cluster.default_log());

        let mut failure = None;
        for _ in 0..PORT_TRIES {
            let port = options.port.map_or_else(free_port, Ok)?;
            match launch(&cluster, port, options, &log) {
                Ok(server) => return Ok(Self { server, cluster, port, log, _lock: lock }),
                Err(error) if options.port.is_none() && error.is_port_taken() => failure = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(failure.unwrap_or(EmbeddedPostgresError::NoFreePort))
    }

    /// The folder of the Unix socket, for `psql -h`.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        self.cluster.socket_dir()
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id of the postmaster.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.server.pid()
    }

    /// A connection URL for the superuser, over TCP on loopback. It carries the password: never log it.
    #[must_use]
    pub fn superuser_url(&self, database: &str) -> String {
        let password = self.cluster.superuser_password();
        format!("postgres://{}:{password}@127.0.0.1:{}/{database}", cluster::SUPERUSER, self.port)
    }

    /// The postmaster, to be watched.
    #[must_use]
    pub fn process(&self) -> &BoundProcess {
        &self.server
    }

    /// Waits until the server ends though nobody asked it to, and tells how it did.
    pub async fn ended(&self) -> EmbeddedPostgresError {
        let status = self.server.ended().await;
        EmbeddedPostgresError::ended_from_log(&self.log, status)
    }

    /// Stops the server: sessions are cut, everything committed is on disk, the folder is free again.
    pub async fn stop(self) -> Result<()> {
        tokio::task::spawn_blocking(move || self.stop_blocking())
            .await
            .map_err(|error| EmbeddedPostgresError::Stop { reason: error.to_string() })?
    }

    /// The same for callers without an async runtime.
    pub fn stop_blocking(self) -> Result<()> {
        stop(&self.server)
    }
}

impl Drop for EmbeddedPostgres {
    fn drop(&mut self) {
        if let Err(error) = signal(&self.server, Signal::SIGINT) {
            tracing::warn!(%error, "postgresql was not told to stop");
        }
    }
}

fn stop(server: &BoundProcess) -> Result<()> {
    signal(server, Signal::SIGINT)?;
    if server.wait(STOP_LIMIT).is_some() {
        return Ok(());
    }
    tracing::warn!(pid = server.pid(), "postgresql does not stop, cutting it off");
    signal(server, Signal::SIGQUIT)?;
    match server.wait(STOP_LIMIT) {
        Some(_) => Ok(()),
        None => Err(EmbeddedPostgresError::Stop { reason: format!("process {} stays", server.pid()) }),
    }
}

fn signal(server: &BoundProcess, signal: Signal) -> Result<()> {
    let failed = |error: std::io::Error| EmbeddedPostgresError::Stop { reason: error.to_string() };
    server.signal(signal).map_err(failed)
}

fn launch(cluster: &Cluster, port: u16, options: &Options, log_path: &Path) -> Result<BoundProcess> {
    let log = open_log(log_path)?;
    let log_start = log.metadata().map_err(io("read", log_path))?.len();

    let mut command = cluster.server_command(port, options);
    command.stdin(Stdio::null());
    command.stdout(log.try_clone().map_err(io("open", log_path))?);
    command.stderr(log);
    let started = |error: std::io::Error| EmbeddedPostgresError::Start {
        log: log_path.to_owned(),
        output: error.to_string(),
    };
    let server = BoundProcess::spawn("embedded-postgres", command, Signal::SIGINT).map_err(started)?;

    if becomes_ready(&server, &cluster.pgdata(), START_LIMIT, &options.give_up) {
        return Ok(server);
    }
    if options.give_up.is_cancelled() {
        stop(&server)?;
        return Err(EmbeddedPostgresError::GivenUp);
    }
    let _ = server.signal(Signal::SIGQUIT);
    Err(EmbeddedPostgresError::start_from_log(log_path, log_start))
}

/// Waits until it is ready; false where it ends or is given up. Crash recovery takes as long as there is log to replay, and
/// who is cut off in it begins anew: a server that says that it is starting has all the time that it wants, and that the one
/// who waits for it has. A replica has not: it may wait for a primary that has gone, and is copied anew in any case.
fn becomes_ready(server: &BoundProcess, pgdata: &Path, limit: Duration, give_up: &CancellationToken) -> bool {
    let begun = Instant::now();
    let (mut heard, mut told) = (begun, begun);
    loop {
        let status = cluster::status(pgdata, server.pid());
        if status.as_deref() == Some("ready") {
            return true;
        }
        if status.as_deref() == Some("starting") && !cluster::is_replica(pgdata) {
            heard = Instant::now();
        }
        let is_given_up = heard.elapsed() >= limit || give_up.is_cancelled();
        if is_given_up || server.wait(Duration::from_millis(10)).is_some() {
            return false;
        }
        if told.elapsed() >= TOLD_EVERY {
            told = Instant::now();
            let minutes = begun.elapsed().as_secs() / 60;
            let folder = pgdata.display();
            tracing::warn!(minutes, %folder, "postgresql is not ready yet: after a crash it replays its log, however long that takes");
        }
    }
}

fn open_log(path: &Path) -> Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().append(true).create(true).mode(0o600).open(path).map_err(io("open", path))
}

fn free_port() -> Result<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|_| EmbeddedPostgresError::NoFreePort)
}

/// The environment of every program of PostgreSQL: nothing of ours leaks in, nothing of the caller's decides.
fn clean(command: &mut Command) -> &mut Command {
    command.env_clear().env("TZ", "UTC").env("LC_ALL", "C.UTF-8").current_dir("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeping() -> BoundProcess {
        let mut command = Command::new("sleep");
        command.arg("60");
        BoundProcess::spawn("test", command, Signal::SIGKILL).unwrap()
    }

    #[test]
    fn a_server_that_recovers_is_given_its_time_and_a_silent_one_or_a_replica_is_not() {
        const LIMIT: Duration = Duration::from_millis(100);
        let becomes_ready = |server: &BoundProcess, pgdata: &Path, limit: Duration| {
            super::becomes_ready(server, pgdata, limit, &CancellationToken::new())
        };
        let folder = tempfile::tempdir().unwrap();
        let pgdata = folder.path();
        let server = sleeping();
        let says = |status: &str| {
            let lines =
                format!("{}\n{}\n1\n2\n/tmp\n127.0.0.1\n3\n{status}\n", server.pid(), pgdata.display());
            std::fs::write(pgdata.join("postmaster.pid"), lines).unwrap();
        };
        assert!(!becomes_ready(&server, pgdata, LIMIT), "it says nothing");

        says("starting");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| becomes_ready(&server, pgdata, LIMIT));
            assert_eq!(server.wait(5 * LIMIT), None);
            says("ready   ");
            assert!(waiting.join().unwrap());
        });

        says("starting");
        let give_up = CancellationToken::new();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| super::becomes_ready(&server, pgdata, Duration::MAX, &give_up));
            give_up.cancel();
            assert!(!waiting.join().unwrap(), "nobody waits any more");
        });

        std::fs::write(pgdata.join("standby.signal"), "").unwrap();
        assert!(!becomes_ready(&server, pgdata, LIMIT));
        server.signal(Signal::SIGKILL).unwrap();
        assert!(!becomes_ready(&server, pgdata, Duration::MAX), "it has ended");
    }
}
