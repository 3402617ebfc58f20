//! Private servers beside a platform or a test: the installed RabbitMQ, Redis, Consul and nginx, on loopback, in folders
//! of their own. `quenty up --distributed` runs on them, and so do the tests.
//!
//! They never meet a server of the system, and never outlive the process that started them. PostgreSQL is the chassis's,
//! since `quenty up` needs nothing else. What goes wrong here is only told to people: errors are texts.

pub mod certificates;
pub mod consul;
pub mod files;
pub mod nginx;
pub mod ports;
pub mod rabbit;
pub mod redis;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;
use quenty_platform::bound_process::BoundProcess;
use rand::distr::{Alphanumeric, SampleString};
use tokio::net::TcpStream;

const START_LIMIT: Duration = Duration::from_secs(20);
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// Waits until the process listens on its port. What it logged is told if it does not.
async fn listens(name: &str, process: &BoundProcess, port: u16, log: &Path) -> Result<()> {
    let told = || fs::read_to_string(log).unwrap_or_default();
    let deadline = Instant::now() + START_LIMIT;
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        if let Some(status) = process.exit_status() {
            bail!("{name} ended with {status}: {}", told());
        }
        ensure!(Instant::now() < deadline, "{name} does not answer: {}", told());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// Kills the process, if there is one, and waits until it has gone.
async fn kill(name: &'static str, process: Option<BoundProcess>) -> Result<()> {
    let Some(process) = process else { return Ok(()) };
    tokio::task::spawn_blocking(move || {
        process.signal(Signal::SIGKILL)?;
        process.wait(STOP_LIMIT).with_context(|| format!("{name}, process {}, stays", process.pid()))?;
        Ok(())
    })
    .await?
}

/// For users of servers on loopback; it can stand in a URL.
fn random_password() -> String {
    Alphanumeric.sample_string(&mut rand::rng(), 32)
}

/// Makes a folder that only its owner can enter: what servers keep and log there is about people. One that an earlier
/// version made is closed, too.
fn make_private_dir(path: &Path) -> Result<()> {
    make_dir(path, 0o700)
}

/// With this mode, whatever the umask is.
fn make_dir(path: &Path, mode: u32) -> Result<()> {
    let made =
        fs::create_dir_all(path).and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(mode)));
    made.with_context(|| format!("cannot make {}", path.display()))
}

/// Writes a file that only its owner can read, such as one that holds a password.
fn write_private(path: &Path, text: &str) -> Result<()> {
    files::replace(path, text.as_bytes(), 0o600).with_context(|| format!("cannot write {}", path.display()))
}
