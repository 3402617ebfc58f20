//! A private Redis: the installed server, on loopback, that keeps nothing and lets in named users only.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use quenty_platform::{bound_process::BoundProcess, redis};

use crate::{
    certificates::Files, kill, listens, make_private_dir, ports::free_ports, random_password, write_private,
};

/// A server of our own. Dropping it kills it.
#[derive(Debug)]
pub struct RedisServer {
    dir: PathBuf,
    port: u16,
    tls: Option<Files>,
    /// Of all users alike, and another one for each server: nothing that lives longer than it knows it.
    password: String,
    running: Option<BoundProcess>,
}

impl RedisServer {
    /// Starts a server in `dir`; `users` are those who may use it, and the prefixes of their keys.
    pub async fn start(dir: &Path, users: &[(&str, &[&str])]) -> Result<Self> {
        Self::start_with(dir, users, None).await
    }

    /// As [`RedisServer::start`], by TLS and nothing else.
    pub async fn start_with_tls(dir: &Path, users: &[(&str, &[&str])], files: Files) -> Result<Self> {
        Self::start_with(dir, users, Some(files)).await
    }

    async fn start_with(dir: &Path, users: &[(&str, &[&str])], tls: Option<Files>) -> Result<Self> {
        let [port] = free_ports()?;
        make_private_dir(dir)?;
        let password = random_password();
        let users: Vec<String> =
            users.iter().map(|(user, prefixes)| redis::acl(user, &password, prefixes)).collect();
        write_private(&dir.join("users.acl"), &format!("user default off\n{}\n", users.join("\n")))?;
        let mut server = Self { dir: dir.to_owned(), port, tls, password, running: None };
        server.launch().await?;
        Ok(server)
    }

    #[must_use]
    pub fn url(&self, user: &str) -> String {
        let scheme = if self.tls.is_some() { "rediss" } else { "redis" };
        format!("{scheme}://{user}:{}@127.0.0.1:{}", self.password, self.port)
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's process, once it was started.
    #[must_use]
    pub fn process(&self) -> Option<&BoundProcess> {
        self.running.as_ref()
    }

    /// Kills the server; what it held is gone, and was never meant to be kept.
    pub async fn kill(&mut self) -> Result<()> {
        kill("redis", self.running.take()).await
    }

    /// Starts it on its port, empty. One that runs, perhaps too slow to have answered in time, is killed first.
    pub async fn launch(&mut self) -> Result<()> {
        self.kill().await?;
        let mut command = Command::new("redis-server");
        let port = self.port.to_string();
        command.current_dir(&self.dir).args(["--bind", "127.0.0.1"]);
        match &self.tls {
            None => command.args(["--port", &port]),
            Some(Files { authority, certificate, key }) => {
                command.args(["--port", "0", "--tls-port", &port, "--tls-auth-clients", "no"]).args([
                    "--tls-ca-cert-file",
                    authority,
                    "--tls-cert-file",
                    certificate,
                    "--tls-key-file",
                    key,
                ])
            }
        };
        command.args([
            "--save",
            "",
            "--appendonly",
            "no",
            "--aclfile",
            "users.acl",
            "--logfile",
            "redis.log",
        ]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let running = BoundProcess::spawn("redis", command, Signal::SIGKILL)
            .context("cannot start redis-server: run `apt-get install redis-server`")?;
        listens("redis", self.running.insert(running), self.port, &self.dir.join("redis.log")).await
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let Some(running) = &self.running else { return };
        if let Err(error) = running.signal(Signal::SIGKILL) {
            tracing::warn!(%error, pid = running.pid(), "a process of redis may be left");
        }
    }
}
