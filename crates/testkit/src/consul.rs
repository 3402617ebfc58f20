//! A private agent of Consul, on loopback, in memory, with access by token only. Where the binary cannot be had, there is
//! none, and tests say so.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use http::{Method, StatusCode};
use nix::sys::signal::Signal;
use quenty_platform::{bound_process::BoundProcess, client::Transport};
use serde_json::{Value, json};

use crate::{certificates::Files, http::Call, ports::free_ports};

/// Where `scripts/ensure-consul` found the binary.
const BINARY: &str = "QUENTY_TEST_CONSUL";
const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// Of an agent that lives as long as one test, on loopback.
const MASTER: &str = "for-tests-on-loopback";

/// An agent of our own. Dropping it kills it.
#[derive(Debug)]
pub struct ConsulAgent {
    dir: PathBuf,
    binary: PathBuf,
    ports: [u16; 6],
    tls: Option<Files>,
    running: Option<BoundProcess>,
}

impl ConsulAgent {
    /// Starts an agent, if there is a binary.
    pub async fn start(dir: &Path) -> anyhow::Result<Option<Self>> {
        Self::start_with(dir, None).await
    }

    /// As [`ConsulAgent::start`], on a second port by TLS.
    pub async fn start_with_tls(dir: &Path, files: Files) -> anyhow::Result<Option<Self>> {
        Self::start_with(dir, Some(files)).await
    }

    async fn start_with(dir: &Path, tls: Option<Files>) -> anyhow::Result<Option<Self>> {
        let Some(binary) = env::var_os(BINARY).filter(|path| !path.is_empty()) else {
            eprintln!(
                "\n*** SKIPPED, NOTHING WAS TESTED: {BINARY} names no Consul (scripts/ensure-consul) ***\n"
            );
            return Ok(None);
        };
        let mut agent =
            Self { dir: dir.to_owned(), binary: binary.into(), ports: free_ports()?, tls, running: None };
        agent.launch().await?;
        Ok(Some(agent))
    }

    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[0])
    }

    /// By TLS, where the agent is called by this name.
    #[must_use]
    pub fn https_url(&self, name: &str) -> String {
        format!("https://{name}:{}", self.ports[5])
    }

    /// A token that may register and find services whose names begin with `quenty-`, and read the settings of processes.
    pub async fn token(&self) -> anyhow::Result<String> {
        let rules = r#"service_prefix "quenty-" { policy = "write" } node_prefix "" { policy = "read" } agent_prefix "" { policy = "read" } key_prefix "quenty/config" { policy = "read" }"#;
        self.put("/v1/acl/policy", &json!({"Name": "quenty", "Rules": rules})).await?;
        let made = self.put("/v1/acl/token", &json!({"Policies": [{"Name": "quenty"}]})).await?;
        made["SecretID"].as_str().map(str::to_owned).context("a token has a secret")
    }

    /// Puts a setting into its store, or takes it out.
    pub async fn set(&self, setting: &str, value: Option<&str>) -> anyhow::Result<()> {
        let (method, value) = value.map_or((Method::DELETE, ""), |value| (Method::PUT, value));
        let url = format!("{}/v1/kv/quenty/config/{setting}", self.url());
        let call = Call::new(Transport::default(), method, url).header("x-consul-token", MASTER);
        let answer = call.raw("text/plain", value.to_owned()).try_send().await?;
        ensure!(answer.status() == StatusCode::OK.as_u16(), "consul answered {}", answer.status());
        Ok(())
    }

    /// Kills the agent; what it knew is gone.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        let Some(running) = self.running.take() else { return Ok(()) };
        tokio::task::spawn_blocking(move || {
            running.signal(Signal::SIGKILL)?;
            running.wait(STOP_LIMIT).with_context(|| format!("consul, process {}, stays", running.pid()))?;
            Ok(())
        })
        .await?
    }

    /// Starts it on its ports, empty: tokens have to be made again.
    pub async fn launch(&mut self) -> anyhow::Result<()> {
        let [http, dns, server, lan, wan, https] = self.ports;
        let acl =
            format!("acl {{ enabled = true default_policy = \"deny\" tokens {{ master = \"{MASTER}\" }} }}");
        let mut command = Command::new(&self.binary);
        command.current_dir(&self.dir).args(["agent", "-dev", "-bind=127.0.0.1", "-client=127.0.0.1"]);
        command.args(["-grpc-port=-1", "-node=quenty-test", "-disable-host-node-id", "-log-level=warn"]);
        let flags = ["http-port", "dns-port", "server-port", "serf-lan-port", "serf-wan-port"];
        for (flag, port) in flags.into_iter().zip([http, dns, server, lan, wan]) {
            command.arg(format!("-{flag}={port}"));
        }
        command.arg("-hcl").arg(acl);
        if let Some(Files { certificate, key, .. }) = &self.tls {
            command.arg(format!("-https-port={https}"));
            command.arg("-hcl").arg(format!("cert_file = \"{certificate}\" key_file = \"{key}\""));
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let running = BoundProcess::spawn("consul", command, Signal::SIGKILL)
            .with_context(|| format!("cannot start {}", self.binary.display()))?;
        self.running = Some(running);
        let deadline = Instant::now() + START_LIMIT;
        // Its tables of tokens are there a moment after it answers.
        while self.ask(Method::GET, "/v1/acl/tokens", None).await.is_err() {
            let ended = self.running.as_ref().and_then(BoundProcess::exit_status);
            ensure!(ended.is_none(), "consul ended: {ended:?}");
            ensure!(Instant::now() < deadline, "consul does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.ask(Method::PUT, path, Some(body)).await
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let mut call = Call::new(Transport::default(), method, format!("{}{path}", self.url()))
            .header("x-consul-token", MASTER);
        if let Some(body) = body {
            call = call.json(body);
        }
        let answer = call.try_send().await?;
        ensure!(answer.status() == StatusCode::OK.as_u16(), "consul answered {}", answer.status());
        Ok(answer.json())
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
