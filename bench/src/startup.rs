//! From the command to a platform of which every part is ready, on a new folder and on one that exists. The
//! baseline is what its PostgreSQL alone needs for the same: `initdb` and start, or start.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use quenty_platform::embedded_postgres::{EmbeddedPostgres, Options};
use quenty_testkit::scratch_dir::ScratchDir;

use crate::{
    Effort,
    harness::{
        process::Process,
        up::{environment, text},
    },
    report,
    samples::Samples,
};

const LIMIT: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(1);

pub async fn measure(effort: Effort) -> Result<()> {
    let (mut cold, mut bare_cold) = (Samples::default(), Samples::default());
    for _ in 0..effort.of(5, 1) {
        let folder = ScratchDir::new("quenty-bench-cold")?;
        bare_cold.add(start_postgres(&folder.path().join("bare")).await?);
        cold.add(start_platform(&folder).await?);
    }
    tell("start_cold", &cold, &bare_cold)?;

    let folder = ScratchDir::new("quenty-bench-warm")?;
    start_platform(&folder).await?;
    let (mut warm, mut bare_warm) = (Samples::default(), Samples::default());
    for _ in 0..effort.of(10, 2) {
        bare_warm.add(start_postgres(&folder.path().join("data/postgres")).await?);
        warm.add(start_platform(&folder).await?);
    }
    tell("start_warm", &warm, &bare_warm)
}

fn tell(name: &str, measured: &Samples, baseline: &Samples) -> Result<()> {
    let value = measured.percentile(50).context("no platform was started")?;
    let baseline = baseline.percentile(50).context("no database was started")?;
    report::tell(name, "ms", value, baseline)
}

/// Starts the platform in `folder/data` and stops it; the time until it said that it is ready.
async fn start_platform(folder: &ScratchDir) -> Result<Duration> {
    let (data, ready) = (folder.path().join("data"), folder.path().join("ready.json"));
    if ready.exists() {
        std::fs::remove_file(&ready)?;
    }
    let arguments = ["up", "--ports", "free", "--ready-file", text(&ready), "--data", text(&data)];
    let started = Instant::now();
    let process = Process::start("up", &arguments, &environment(folder), &folder.path().join("up.log"));
    while !ready.exists() {
        ensure!(process.exit_status().is_none(), "quenty up ended\n{}", process.tail());
        ensure!(started.elapsed() < LIMIT, "quenty up is not ready\n{}", process.tail());
        tokio::time::sleep(POLL).await;
    }
    let elapsed = started.elapsed();
    eprintln!("  quenty up: {} ms", elapsed.as_millis());
    process.signal(Signal::SIGTERM);
    let status = process.ended().await;
    ensure!(status.success(), "quenty up ended with {status}\n{}", process.tail());
    Ok(elapsed)
}

/// The same for PostgreSQL alone, with the settings of the platform's.
async fn start_postgres(folder: &Path) -> Result<Duration> {
    let started = Instant::now();
    let server = EmbeddedPostgres::start(Options::new(folder)).await?;
    let elapsed = started.elapsed();
    eprintln!("  PostgreSQL alone: {} ms", elapsed.as_millis());
    server.stop().await?;
    Ok(elapsed)
}
