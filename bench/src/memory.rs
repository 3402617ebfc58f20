//! What the one process holds when nobody asks anything of it, beside what its PostgreSQL holds. PSS: memory
//! shared among processes counts once.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result};
use quenty_testkit::scratch_dir::ScratchDir;

use crate::{Effort, harness::Up, report};

pub async fn measure(effort: Effort) -> Result<()> {
    let up = Up::durable(ScratchDir::new("quenty-bench-memory")?).await;
    tokio::time::sleep(effort.of(Duration::from_secs(30), Duration::from_secs(2))).await;
    let postmaster = postmaster(&up.ready.data)?;
    let mut postgres = pss(postmaster)?;
    for child in children(postmaster)? {
        // A worker may have ended since it was listed.
        postgres += pss(child).unwrap_or(0.0);
    }
    report::tell("idle_memory", "MiB", pss(up.process.pid())?, postgres)?;
    up.stop().await;
    Ok(())
}

/// The first line of the pid file that PostgreSQL keeps in its folder.
fn postmaster(data: &Path) -> Result<i32> {
    let file = data.join("postgres/cluster/postmaster.pid");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    text.lines().next().unwrap_or_default().trim().parse().context("the pid file has no pid")
}

fn children(parent: i32) -> Result<Vec<i32>> {
    let processes = fs::read_dir("/proc")?.flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Ok(pids.filter(|pid| parent_of(*pid) == Some(parent)).collect())
}

/// The second field after the name, which stands in parentheses and may hold anything.
fn parent_of(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(1)?.parse().ok()
}

/// In MiB.
pub fn pss(pid: i32) -> Result<f64> {
    let file = format!("/proc/{pid}/smaps_rollup");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).context("no Pss in smaps_rollup")?;
    let kibibytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kibibytes / 1024.0)
}
