//! A private agent of Consul for a test. Where the binary cannot be had, there is none, and tests say so.

use std::{
    env,
    path::{Path, PathBuf},
};

use quenty_kernel::id::new_uuid;
pub use quenty_servers::consul::ConsulAgent;

use crate::certificates::Files;

/// Where `scripts/ensure-consul` found the binary.
pub const BINARY: &str = "QUENTY_TEST_CONSUL";

/// Where the binary is, if it can be had here; else it is said that the test is skipped.
#[must_use]
pub fn binary() -> Option<PathBuf> {
    let binary = env::var_os(BINARY).filter(|path| !path.is_empty()).map(PathBuf::from);
    if binary.is_none() {
        eprintln!(
            "\n*** SKIPPED, NOTHING WAS TESTED: {BINARY} names no Consul (scripts/ensure-consul) ***\n"
        );
    }
    binary
}

/// Starts an agent, if there is a binary.
pub async fn start(dir: &Path) -> anyhow::Result<Option<ConsulAgent>> {
    let Some(binary) = binary() else { return Ok(None) };
    ConsulAgent::start(&binary, dir).await.map(Some)
}

/// As [`start`], on a second port by TLS.
pub async fn start_with_tls(dir: &Path, files: Files) -> anyhow::Result<Option<ConsulAgent>> {
    let Some(binary) = binary() else { return Ok(None) };
    ConsulAgent::start_with_tls(&binary, dir, files).await.map(Some)
}

/// A token that may register and find services whose names begin with `quenty-`, and read the settings of processes.
pub async fn token(agent: &ConsulAgent) -> anyhow::Result<String> {
    let secret = new_uuid().to_string();
    agent.grant(&secret, r#"service_prefix "quenty-" { policy = "write" }"#).await?;
    Ok(secret)
}
