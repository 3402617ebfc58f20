//! Stops what an earlier run left in a data folder. Called under the folder's lock: no platform owns these.
//!
//! Every process of a server works in its data folder, so `/proc` tells them from strangers that were given the
//! number in an old pid file. Backends count too: one that outlives its postmaster may still write.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::error::{EmbeddedPostgresError, Result, io};

/// Signals in rising force, and how long each is given: fast shutdown, immediate shutdown, and the end.
const ESCALATION: [(Signal, Duration); 3] = [
    (Signal::SIGINT, Duration::from_secs(30)),
    (Signal::SIGQUIT, Duration::from_secs(10)),
    (Signal::SIGKILL, Duration::from_secs(10)),
];

pub(super) fn stop(pgdata: &Path) -> Result<()> {
    let pid_file = pgdata.join("postmaster.pid");
    for (signal, patience) in ESCALATION {
        let alive = processes_in(pgdata);
        if alive.is_empty() {
            break;
        }
        tracing::warn!(?alive, %signal, "stopping the postgresql of an earlier run");
        let postmaster = postmaster_of(&pid_file).filter(|pid| alive.contains(pid));
        let targets = postmaster.map_or_else(|| alive.clone(), |pid| vec![pid]);
        for pid in targets {
            // It may end by itself meanwhile; whether it did is checked below.
            let _ = kill(Pid::from_raw(pid), signal);
        }
        wait_until_gone(pgdata, patience);
    }
    if let Some(pid) = processes_in(pgdata).first() {
        return Err(EmbeddedPostgresError::Stop { reason: format!("process {pid} of an earlier run stays") });
    }
    // With no process left the file is stale; its number may meanwhile belong to a process of ours, and the
    // server would refuse to start beside that.
    if pid_file.exists() {
        fs::remove_file(&pid_file).map_err(io("remove", &pid_file))?;
    }
    Ok(())
}

fn wait_until_gone(pgdata: &Path, patience: Duration) {
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline && !processes_in(pgdata).is_empty() {
        thread::sleep(Duration::from_millis(20));
    }
}

fn postmaster_of(pid_file: &Path) -> Option<i32> {
    fs::read_to_string(pid_file).ok()?.lines().next()?.trim().parse().ok()
}

fn processes_in(pgdata: &Path) -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| is_server_of(*pid, pgdata)).collect()
}

fn is_server_of(pid: i32, pgdata: &Path) -> bool {
    let proc = Path::new("/proc").join(pid.to_string());
    // The name, not the binary's path: an upgrade of the package removes the binary under a running server.
    let named = fs::read_to_string(proc.join("comm")).is_ok_and(|name| name.trim() == "postgres");
    named && fs::read_link(proc.join("cwd")).is_ok_and(|cwd| cwd == pgdata)
}
