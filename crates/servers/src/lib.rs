//! Private servers beside a platform or a test: the installed RabbitMQ, Redis, Consul and nginx, on loopback, in folders
//! of their own. `quenty up --distributed` runs on them, and so do the tests.
//!
//! They never meet a server of the system, and never outlive the process that started them. PostgreSQL is the chassis's,
//! since `quenty up` needs nothing else. What goes wrong here is only told to people: errors are texts.

pub mod certificates;
pub mod consul;
pub mod nginx;
pub mod ports;
pub mod rabbit;
pub mod redis;

use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

use anyhow::{Context, Result};
use rand::distr::{Alphanumeric, SampleString};

/// For users of servers on loopback; it can stand in a URL.
fn random_password() -> String {
    Alphanumeric.sample_string(&mut rand::rng(), 32)
}

/// Writes a file that only its owner can read: it holds a password.
fn write_private(path: &Path, text: &str) -> Result<()> {
    let written = (|| {
        // An older file would keep its mode.
        if path.exists() {
            fs::remove_file(path)?;
        }
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())
    })();
    written.with_context(|| format!("cannot write {}", path.display()))
}
