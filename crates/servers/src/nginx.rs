//! A private nginx: the installed server in a folder of its own, with a configuration that is given to it. The system's
//! configuration is never read, nor is its server touched.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use nix::{
    sys::signal::Signal,
    unistd::{Uid, User},
};
use quenty_platform::bound_process::BoundProcess;

use crate::{STOP_LIMIT, kill, listens, make_dir, write_private};

/// How long requests that run may take when it is asked to end.
const DRAIN: Duration = Duration::from_secs(15);
/// As whom its workers run when it is started by root: Debian's user for web servers.
const ACCOUNT: &str = "www-data";
/// Not on everybody's `PATH`.
const USUAL_PLACE: &str = "/usr/sbin/nginx";

/// A server of our own. Dropping it ends it.
#[derive(Debug)]
pub struct Nginx {
    dir: PathBuf,
    port: u16,
    running: Option<BoundProcess>,
}

impl Nginx {
    /// Starts a server in `dir`. `http` stands in the block of that name and listens on `port`; files that it names are
    /// in `dir`.
    pub async fn start(dir: &Path, port: u16, http: &str) -> Result<Self> {
        // Workers of another account pass through it to their files.
        make_dir(dir, 0o711)?;
        write_private(&dir.join("nginx.conf"), &config(http))?;
        let mut server = Self { dir: dir.to_owned(), port, running: None };
        server.launch().await?;
        Ok(server)
    }

    /// Whether there is one to start.
    #[must_use]
    pub fn is_installed() -> bool {
        Command::new(program()).arg("-v").stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The master process, once it was started.
    #[must_use]
    pub fn process(&self) -> Option<&BoundProcess> {
        self.running.as_ref()
    }

    /// Starts it on its port. One that runs, perhaps too slow to have answered in time, is killed first, and its workers
    /// with it.
    pub async fn launch(&mut self) -> Result<()> {
        kill("nginx", self.running.take()).await?;
        let log = self.dir.join("error.log");
        let mut command = Command::new(program());
        command.current_dir(&self.dir).arg("-p").arg(&self.dir).args(["-c", "nginx.conf"]);
        // Else it would open the system's log before it has read where its own is.
        command.arg("-e").arg(&log);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Killed, the master could not take its workers with it.
        let running = BoundProcess::spawn("nginx", command, Signal::SIGTERM)
            .context("cannot start nginx: run `apt-get install nginx-light`")?;
        listens("nginx", self.running.insert(running), self.port, &log).await
    }

    /// Takes in nothing new, lets running requests finish, and ends.
    pub async fn stop(&mut self) -> Result<()> {
        let Some(running) = self.running.take() else { return Ok(()) };
        tokio::task::spawn_blocking(move || {
            for (signal, patience) in [(Signal::SIGQUIT, DRAIN), (Signal::SIGTERM, STOP_LIMIT)] {
                running.signal(signal)?;
                if running.wait(patience).is_some() {
                    return Ok(());
                }
            }
            bail!("nginx, process {}, stays", running.pid())
        })
        .await?
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let Some(running) = &self.running else { return };
        if let Err(error) = running.signal(Signal::SIGTERM) {
            tracing::warn!(%error, pid = running.pid(), "a process of nginx may be left");
        }
    }
}

fn program() -> &'static str {
    if Path::new(USUAL_PLACE).exists() { USUAL_PLACE } else { "nginx" }
}

/// What has nothing to do with what it is used for.
fn config(http: &str) -> String {
    let account = User::from_name(ACCOUNT).ok().flatten().filter(|_| Uid::effective().is_root());
    let user = account.map_or(String::new(), |user| format!("user {};\n", user.name));
    format!(
        "{user}worker_processes 1;
daemon off;
pid nginx.pid;
error_log error.log warn;
events {{ worker_connections 4096; }}
http {{
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
{http}}}
"
    )
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;
    use crate::ports::free_ports;

    #[tokio::test]
    async fn workers_may_pass_whatever_the_umask_was_and_a_second_start_takes_the_place_of_the_first() {
        if !Nginx::is_installed() {
            eprintln!("\n*** SKIPPED, NOTHING WAS TESTED: there is no nginx (scripts/ensure-packages) ***\n");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("nginx");
        // As the umask 077 would have it.
        make_dir(&dir, 0o700).unwrap();
        let [port] = free_ports().unwrap();
        let http = format!("  server {{ listen 127.0.0.1:{port}; return 200; }}\n");
        let mut server = Nginx::start(&dir, port, &http).await.unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&dir), mode(&dir.join("nginx.conf"))), (0o711, 0o600));

        let first = server.process().unwrap().pid();
        server.launch().await.unwrap();
        assert!(!Path::new(&format!("/proc/{first}")).exists());
        assert_eq!(server.process().unwrap().exit_status(), None);
        server.stop().await.unwrap();
    }
}
