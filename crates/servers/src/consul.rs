//! A private agent of Consul, on loopback, in memory, with access by token only. What it knows, everybody who is in it
//! tells it again when it comes back.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use axum::body::Body;
use http::{Method, Request, StatusCode};
use nix::sys::signal::Signal;
use quenty_platform::{bound_process::BoundProcess, client::Transport};
use serde_json::{Value, json};

use crate::{certificates::Files, kill, make_private_dir, ports::free_ports, random_password, write_private};

const START_LIMIT: Duration = Duration::from_secs(60);
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
const CONFIG: &str = "consul.json";

/// An agent of our own. Dropping it kills it.
#[derive(Debug)]
pub struct ConsulAgent {
    dir: PathBuf,
    binary: PathBuf,
    ports: [u16; 6],
    tls: Option<Files>,
    master: String,
    running: Option<BoundProcess>,
}

impl ConsulAgent {
    /// Starts an agent in `dir`.
    pub async fn start(binary: &Path, dir: &Path) -> Result<Self> {
        Self::start_with(binary, dir, None).await
    }

    /// As [`ConsulAgent::start`], on a second port by TLS.
    pub async fn start_with_tls(binary: &Path, dir: &Path, files: Files) -> Result<Self> {
        Self::start_with(binary, dir, Some(files)).await
    }

    async fn start_with(binary: &Path, dir: &Path, tls: Option<Files>) -> Result<Self> {
        make_private_dir(dir)?;
        let mut agent = Self {
            dir: dir.to_owned(),
            binary: binary.to_owned(),
            ports: free_ports()?,
            tls,
            master: random_password(),
            running: None,
        };
        agent.write_config()?;
        agent.launch().await?;
        Ok(agent)
    }

    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// By TLS, where the agent is called by this name.
    #[must_use]
    pub fn https_url(&self, name: &str) -> String {
        format!("https://{name}:{}", self.ports[5])
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.ports[0]
    }

    /// The agent's process, once it was started.
    #[must_use]
    pub fn process(&self) -> Option<&BoundProcess> {
        self.running.as_ref()
    }

    /// Makes a token, with this UUID as its secret, that may find everybody, read the settings of processes, and
    /// register what `writes` says: a rule of Consul's, or nothing.
    pub async fn grant(&self, secret: &str, writes: &str) -> Result<()> {
        let reads = r#"service_prefix "quenty-" { policy = "read" } node_prefix "" { policy = "read" } agent_prefix "" { policy = "read" } key_prefix "quenty/config" { policy = "read" }"#;
        let policy = json!({"Name": format!("quenty-{secret}"), "Rules": format!("{reads} {writes}")});
        let policy = self.put("/v1/acl/policy", &policy).await?;
        self.put("/v1/acl/token", &json!({"SecretID": secret, "Policies": [{"ID": policy["ID"]}]})).await?;
        Ok(())
    }

    /// Puts a setting of processes into its store, or takes it out.
    pub async fn set(&self, setting: &str, value: Option<&str>) -> Result<()> {
        let path = format!("/v1/kv/quenty/config/{setting}");
        let (method, body) = match value {
            Some(value) => (Method::PUT, Body::from(value.to_owned())),
            None => (Method::DELETE, Body::empty()),
        };
        self.ask(method, &path, body).await.map(drop)
    }

    /// Kills the agent; what it knew is gone.
    pub async fn kill(&mut self) -> Result<()> {
        kill("consul", self.running.take()).await
    }

    /// Starts it on its ports, empty: tokens have to be made again. One that runs, perhaps too slow to have answered in
    /// time, is killed first.
    pub async fn launch(&mut self) -> Result<()> {
        self.kill().await?;
        let log = self.dir.join("consul.log");
        let log = File::options().create(true).append(true).open(&log);
        let log = log.context("cannot write the log of consul")?;
        let mut command = Command::new(&self.binary);
        command.current_dir(&self.dir).args(["agent", "-dev", "-config-file", CONFIG]);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let running = BoundProcess::spawn("consul", command, Signal::SIGKILL)
            .with_context(|| format!("cannot start {}", self.binary.display()))?;
        self.running = Some(running);
        let deadline = Instant::now() + START_LIMIT;
        // Its tables of tokens are there a moment after it answers.
        while self.ask(Method::GET, "/v1/acl/tokens", Body::empty()).await.is_err() {
            let ended = self.running.as_ref().and_then(BoundProcess::exit_status);
            ensure!(ended.is_none(), "consul ended: {ended:?} (see {})", self.dir.display());
            ensure!(Instant::now() < deadline, "consul does not answer (see {})", self.dir.display());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// The secret stands in a file, since everybody on the machine sees a command line.
    fn write_config(&self) -> Result<()> {
        let [http, dns, server, lan, wan, https] = self.ports;
        let mut config = json!({
            "bind_addr": "127.0.0.1", "client_addr": "127.0.0.1", "node_name": "quenty",
            "disable_host_node_id": true, "log_level": "warn",
            "ports": {"http": http, "dns": dns, "server": server, "serf_lan": lan, "serf_wan": wan, "grpc": -1},
            "acl": {"enabled": true, "default_policy": "deny", "tokens": {"master": self.master}},
        });
        if let Some(Files { certificate, key, .. }) = &self.tls {
            config["ports"]["https"] = json!(https);
            config["cert_file"] = json!(certificate);
            config["key_file"] = json!(key);
        }
        write_private(&self.dir.join(CONFIG), &config.to_string())
    }

    async fn put(&self, path: &str, body: &Value) -> Result<Value> {
        self.ask(Method::PUT, path, Body::from(body.to_string())).await
    }

    async fn ask(&self, method: Method, path: &str, body: Body) -> Result<Value> {
        let request = Request::builder().method(method).uri(format!("{}{path}", self.url()));
        let request = request.header("x-consul-token", &self.master).body(body)?;
        let answer = Transport::default().send(request, ANSWER_LIMIT).await?;
        let told = String::from_utf8_lossy(answer.body());
        ensure!(answer.status() == StatusCode::OK, "consul answered {}: {told}", answer.status());
        Ok(serde_json::from_slice(answer.body())?)
    }
}

impl Drop for ConsulAgent {
    fn drop(&mut self) {
        let Some(running) = &self.running else { return };
        if let Err(error) = running.signal(Signal::SIGKILL) {
            tracing::warn!(%error, pid = running.pid(), "a process of consul may be left");
        }
    }
}
