//! `quenty up --distributed`: many processes and their servers behind nginx, started as people start it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use http::Method;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use quenty_platform::{
    client::Transport,
    settings::{CHASSIS, Settings},
};
use quenty_testkit::{consul, http::Call, nginx::Nginx, rabbit::RabbitBroker, scratch_dir::ScratchDir};
use serde::Deserialize;
use serde_json::Value;

use super::{
    cluster::certificate,
    process::{self, Environment, Process},
    stage::{Stage, Vhost},
    until,
    up::{Ready, text},
};

const START_LIMIT: Duration = Duration::from_secs(120);

#[derive(Deserialize)]
struct Listed {
    pid: i32,
}

pub struct Distributed {
    pub stage: Stage,
    pub ready: Ready,
    consul: PathBuf,
    // Dropped before the folder that it writes to.
    process: Process,
    folder: ScratchDir,
}

impl Distributed {
    /// Starts it on a new folder; nothing, said loudly, where a server of it cannot be had.
    pub async fn start() -> Option<Self> {
        let (folder, consul) = place()?;
        Some(Self::start_in(folder, consul).await)
    }

    /// As [`Distributed::start`], where another start has failed just after it had declared the queues.
    pub async fn start_after_a_failure() -> Option<Self> {
        let (folder, consul) = place()?;
        let data = folder.path().join("data");
        let obstacle = data.join("servers.json");
        std::fs::create_dir_all(&obstacle).expect("a folder where a file should be");
        let log = folder.path().join("failed.log");
        let process = Process::start("up", &up(&data, &consul), &Environment::new(), &log);
        let status = until(START_LIMIT, "the start fails", async || process.exit_status()).await;
        assert!(!status.success() && process.log().contains("servers.json"), "{}", process.tail());
        assert!(data.join("rabbitmq/empty").exists(), "it ended in order\n{}", process.tail());
        std::fs::remove_dir(obstacle).expect("it is empty");
        Some(Self::start_in(folder, consul).await)
    }

    async fn start_in(folder: ScratchDir, consul: PathBuf) -> Self {
        let (ready_file, data) = (folder.path().join("ready.json"), folder.path().join("data"));
        // Of an earlier run on the same folder.
        drop(std::fs::remove_file(&ready_file));
        let arguments = [&up(&data, &consul)[..], &["--ready-file", text(&ready_file)]].concat();
        let log = folder.path().join("up.log");
        let process = Process::start("up", &arguments, &Environment::new(), &log);
        let ready: Ready = until(START_LIMIT, "quenty up --distributed is ready", async || {
            assert!(process.exit_status().is_none(), "quenty up ended\n{}", process.tail());
            serde_json::from_slice(&std::fs::read(&ready_file).ok()?).ok()
        })
        .await;
        let read = |path: &Path| std::fs::read_to_string(path).expect("a file of the platform");
        let json = |path: &Path| -> Value { serde_json::from_str(&read(path)).expect("JSON") };
        let servers = json(&ready.data.join("servers.json"));
        let url =
            |name: &str| servers[name].as_str().expect("an address").trim_end_matches("/%2F").to_owned();
        let broker = RabbitBroker::from_urls(&url("rabbitmq"), &url("rabbitmq_management"));
        let databases = json(&ready.data.join("databases.json"));
        let stage = Stage {
            gateway: ready.gateway.clone(),
            mail_dir: ready.mail_dir.clone(),
            admin_email: "admin@quenty.local".to_owned(),
            admin_password: read(&ready.admin_password_file).trim().to_owned(),
            databases: serde_json::from_value(databases).expect("URLs by service"),
            vhost: Some(Vhost { broker: broker.expect("the broker's addresses"), name: "/".to_owned() }),
            simulated_time: None,
        };
        Self { stage, ready, consul, process, folder }
    }

    /// Which process is which, now.
    pub fn pids(&self) -> BTreeMap<String, i32> {
        let told = std::fs::read(self.ready.data.join("processes.json")).expect("the processes are told");
        let told: BTreeMap<String, Listed> = serde_json::from_slice(&told).expect("JSON");
        told.into_iter().map(|(name, listed)| (name, listed.pid)).collect()
    }

    /// SIGKILL, to one of them.
    pub fn kill(&self, name: &str) {
        self.signal(name, Signal::SIGKILL);
    }

    pub fn signal(&self, name: &str, signal: Signal) {
        kill(Pid::from_raw(self.pids()[name]), signal).expect("a process that runs");
    }

    /// A question to one process itself, by who shows it an operator's certificate.
    pub fn ask(&self, name: &str, path: &str) -> Option<Call> {
        let shown = certificate(&self.ready.data.join("certs"), "operator");
        let settings = Settings::load(&[CHASSIS], None, shown.into_iter()).expect("settings");
        let transport = Transport::from_settings(&settings).expect("an operator's certificate");
        Some(Call::new(transport, Method::GET, format!("{}{path}", self.ready.services.get(name)?)))
    }

    /// Waits until another process has taken the place of one that was killed.
    pub async fn until_replaced(&self, name: &str, before: i32) {
        let what = format!("{name} runs again");
        until(Duration::from_secs(60), &what, async || (self.pids().get(name)? != &before).then_some(()))
            .await;
    }

    /// What it told people.
    pub fn told(&self) -> String {
        self.process.log()
    }

    /// Whether its journals are whole and what was signed of them, and what is told of that.
    pub async fn audit(&self) -> (bool, Value) {
        self.run(&["audit", "verify"]).await
    }

    /// Whether all is well, and what is told of that.
    pub async fn doctor(&self) -> (bool, Value) {
        self.run(&["doctor"]).await
    }

    async fn run(&self, command: &[&str]) -> (bool, Value) {
        let arguments = [command, &["--json", "--data", text(&self.ready.data)]].concat();
        let output = process::run(&arguments, &Environment::new()).await;
        let told = serde_json::from_slice(&output.stdout);
        (output.status.success(), told.unwrap_or_else(|error| panic!("{error}: {output:?}")))
    }

    /// What a second one on the same folder says.
    pub async fn second(&self) -> String {
        let data = self.folder.path().join("data");
        let output = process::run(&up(&data, &self.consul), &Environment::new()).await;
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// Kills it without warning, and starts it again on its folder: one in a single process may not have that meanwhile.
    pub async fn kill_and_start(self) -> Self {
        self.process.kill().await;
        let data = self.folder.path().join("data");
        let refused =
            process::run(&["up", "--ports", "free", "--data", text(&data)], &Environment::new()).await;
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && said.contains("may still hold events"), "{said}");
        Self::start_in(self.folder, self.consul).await
    }

    /// Asks it to end, and sees that nothing of it is left.
    pub async fn stop(self) {
        let pids = self.pids();
        self.process.signal(Signal::SIGTERM);
        let status = self.process.ended().await;
        let told = self.told();
        assert!(status.success(), "{status}\n{}", self.process.tail());
        assert!(!told.contains("did not end in order"), "{told}");
        assert!(self.ready.data.join("rabbitmq/empty").exists(), "RabbitMQ holds nothing: {told}");
        for (name, pid) in pids {
            assert!(kill(Pid::from_raw(pid), None).is_err(), "{name}, process {pid}, is left");
        }
    }
}

/// A new folder, and Consul's binary.
fn place() -> Option<(ScratchDir, PathBuf)> {
    let consul = consul::binary()?;
    if !Nginx::is_installed() {
        eprintln!("\n*** SKIPPED, NOTHING WAS TESTED: there is no nginx (scripts/ensure-packages) ***\n");
        return None;
    }
    Some((ScratchDir::new("quenty-distributed").expect("a folder"), consul))
}

fn up<'a>(data: &'a Path, consul: &'a Path) -> [&'a str; 8] {
    ["up", "--distributed", "--ports", "free", "--data", text(data), "--consul", text(consul)]
}
