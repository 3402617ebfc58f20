//! `quenty up`: the whole platform in one process, on the local bus.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use nix::sys::signal::Signal;
use quenty_testkit::scratch_dir::ScratchDir;
use serde::Deserialize;

use super::{
    process::{Environment, Process},
    stage::Stage,
    until,
};

const START_LIMIT: Duration = Duration::from_secs(60);

/// What `--ready-file` tells.
#[derive(Debug, Deserialize)]
pub struct Ready {
    pub gateway: String,
    pub services: BTreeMap<String, String>,
    pub data: PathBuf,
    pub mail_dir: PathBuf,
    pub admin_password_file: PathBuf,
}

pub struct Up {
    pub stage: Stage,
    pub ready: Ready,
    // Dropped before the folder that it writes to.
    pub process: Process,
    pub folder: ScratchDir,
}

impl Up {
    /// A platform that keeps nothing.
    pub async fn ephemeral(more: &[&str]) -> Self {
        let folder = ScratchDir::new("quenty-up").expect("a folder");
        Self::start_in(folder, &[&["--ephemeral"], more].concat()).await
    }

    /// A platform that keeps its data in `folder/data`.
    pub async fn durable(folder: ScratchDir) -> Self {
        let data = folder.path().join("data");
        Self::start_in(folder, &["--data", text(&data)]).await
    }

    async fn start_in(folder: ScratchDir, arguments: &[&str]) -> Self {
        let ready_file = folder.path().join("ready.json");
        // Of an earlier run on the same folder.
        drop(std::fs::remove_file(&ready_file));
        let arguments = [&["up", "--ports", "free", "--ready-file", text(&ready_file)], arguments].concat();
        let environment = environment(&folder);
        let process = Process::start("up", &arguments, &environment, &folder.path().join("up.log"));
        let ready: Ready = until(START_LIMIT, "quenty up is ready", async || {
            assert!(process.exit_status().is_none(), "quenty up ended\n{}", process.tail());
            serde_json::from_slice(&std::fs::read(&ready_file).ok()?).ok()
        })
        .await;
        let read = |path: &Path| std::fs::read_to_string(path).expect("a file of the platform");
        let stage = Stage {
            gateway: ready.gateway.clone(),
            mail_dir: ready.mail_dir.clone(),
            admin_email: "admin@quenty.local".to_owned(),
            admin_password: read(&ready.admin_password_file).trim().to_owned(),
            databases: serde_json::from_str(&read(&ready.data.join("databases.json")))
                .expect("URLs by service"),
            vhost: None,
            simulated_time: Some(ready.data.join("simulated-time")).filter(|path| path.exists()),
        };
        Self { stage, ready, process, folder }
    }

    /// Asks it to end, and waits until it has.
    pub async fn stop(self) -> ScratchDir {
        self.process.signal(Signal::SIGTERM);
        let status = self.process.ended().await;
        assert!(status.success(), "{status}\n{}", self.process.tail());
        self.folder
    }
}

/// An ephemeral platform makes its folder where TMPDIR says: inside what the test removes.
pub fn environment(folder: &ScratchDir) -> Environment {
    [("TMPDIR".to_owned(), text(folder.path()).to_owned())].into()
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}
