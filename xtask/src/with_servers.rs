//! One PostgreSQL and one RabbitMQ for all test processes of a run: nextest gives each test a process of its own.
//!
//! They are private, live in a temporary folder, and end with the command whatever ends it.

use std::convert::Infallible;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use anyhow::Context;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use quenty_platform::embedded_postgres::EmbeddedPostgres;
use quenty_testkit::database;
use quenty_testkit::rabbit::RabbitServer;
use quenty_testkit::scratch_dir::ScratchDir;
use quenty_testkit::shared::{AMQP_URL, POSTGRES_URL, RABBIT_MANAGEMENT_URL, SharedPostgres, start_postgres};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use crate::own_package_variables;

/// How long a command that was told to stop may take before it is killed.
const GRACE: Duration = Duration::from_secs(20);
/// How often the databases of tests that have ended are dropped.
const SWEEP_EVERY: Duration = Duration::from_secs(2);

#[derive(clap::Args)]
pub struct Args {
    /// The command and its arguments, after `--`
    #[arg(required = true, last = true)]
    command: Vec<OsString>,
}

/// Runs the command; its exit code becomes ours.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut stop = StopSignals::listen()?;
        tokio::select! {
            servers = Servers::start() => servers?.run_beside(&args.command, &mut stop).await,
            signal = stop.next() => Ok(killed_by(signal as i32)),
        }
    })
}

struct Servers {
    // Fields are dropped in this order: the servers end before their folder goes.
    postgres: EmbeddedPostgres,
    rabbit: RabbitServer,
    _folder: ScratchDir,
}

impl Servers {
    async fn start() -> anyhow::Result<Self> {
        let folder = ScratchDir::new("quenty-servers")?;
        let rabbit_dir = folder.path().join("rabbit");
        let (postgres, rabbit) =
            tokio::try_join!(start_postgres(folder.path()), RabbitServer::start(&rabbit_dir))?;
        Ok(Self { postgres, rabbit, _folder: folder })
    }

    async fn run_beside(mut self, command: &[OsString], stop: &mut StopSignals) -> anyhow::Result<ExitCode> {
        let [program, arguments @ ..] = command else { anyhow::bail!("no command was given") };
        let mut command = Command::new(program);
        command.args(arguments).kill_on_drop(true);
        for name in own_package_variables() {
            command.env_remove(name);
        }
        command.env(POSTGRES_URL, self.postgres.superuser_url("postgres"));
        command.env(AMQP_URL, self.rabbit.broker().base_url());
        command.env(RABBIT_MANAGEMENT_URL, self.rabbit.broker().management_url());
        let child = command.spawn().with_context(|| format!("cannot run {}", program.display()))?;
        let server = SharedPostgres::from_url(&self.postgres.superuser_url("postgres"))?;
        let status = tokio::select! {
            status = wait(child, stop) => status?,
            never = sweep(&server) => match never {},
        };

        // The data goes with the folder: there is nothing that an orderly stop would save.
        self.rabbit.kill().await?;
        self.postgres.stop().await?;
        Ok(exit_code(status))
    }
}

/// Keeps only the databases of tests that run.
async fn sweep(server: &SharedPostgres) -> Infallible {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        if let Err(error) = database::drop_abandoned(server).await {
            eprintln!("databases of tests that have ended could not be dropped yet: {error:#}");
        }
    }
}

/// Waits for the command and passes on a wish to stop. The servers stay until it has ended.
async fn wait(mut child: Child, stop: &mut StopSignals) -> anyhow::Result<ExitStatus> {
    tokio::select! {
        status = child.wait() => return Ok(status?),
        signal = stop.next() => tell(&child, signal),
    }
    if let Ok(status) = tokio::time::timeout(GRACE, child.wait()).await {
        return Ok(status?);
    }
    child.kill().await?;
    Ok(child.wait().await?)
}

fn tell(child: &Child, signal: Signal) {
    // After Ctrl-C the terminal has told the command already; a second time makes nextest cut its tests off.
    if signal == Signal::SIGINT && std::io::stdin().is_terminal() {
        return;
    }
    if let Some(pid) = child.id() {
        // It may have ended just now, which the wait that follows sees.
        let _ = kill(Pid::from_raw(pid.cast_signed()), signal);
    }
}

fn exit_code(status: ExitStatus) -> ExitCode {
    match (status.code(), status.signal()) {
        (Some(code), _) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        (None, signal) => killed_by(signal.unwrap_or_default()),
    }
}

/// What a shell reports for a command that a signal ended.
fn killed_by(signal: i32) -> ExitCode {
    ExitCode::from(u8::try_from(128 + signal).unwrap_or(1))
}

struct StopSignals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl StopSignals {
    fn listen() -> anyhow::Result<Self> {
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Self { interrupt, terminate })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::SIGINT,
            _ = self.terminate.recv() => Signal::SIGTERM,
        }
    }
}
