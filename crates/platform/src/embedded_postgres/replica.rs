//! A second server that follows the first (streaming replication) and answers reads.
//!
//! What it holds is worth nothing without its primary, so it is copied anew at every start: there is none that cannot
//! follow because it was away for too long, or because its primary is another one by now.

use std::path::{Path, PathBuf};

use super::cluster::Cluster;
use super::error::{EmbeddedPostgresError, Result};
use super::{EmbeddedPostgres, Options};
use crate::bound_process::BoundProcess;

/// Where the server is that a replica follows; the role's password is the one that
/// [`create_replication_role`](crate::db::create_replication_role) was given.
#[derive(Clone)]
pub struct Primary {
    pub data_dir: PathBuf,
    pub port: u16,
    pub password: String,
}

/// A running replica, as [`EmbeddedPostgres`] is a running server.
#[derive(Debug)]
pub struct Replica(EmbeddedPostgres);

impl Replica {
    /// Copies the primary and starts to follow it. `options.max_connections` must be the primary's at least.
    ///
    /// # Errors
    /// When the primary cannot be copied, or as for any server.
    pub async fn start(options: Options, primary: Primary) -> Result<Self> {
        let start = move || {
            let copy = |data_dir: &Path, installation, account, _: &Options| {
                Cluster::copy(data_dir, installation, account, &primary)
            };
            EmbeddedPostgres::open_and_launch(&options, &primary.data_dir, copy)
        };
        let started = tokio::task::spawn_blocking(start).await;
        let failed = |error: tokio::task::JoinError| EmbeddedPostgresError::Start {
            log: PathBuf::new(),
            output: error.to_string(),
        };
        Ok(Self(started.map_err(failed)??))
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port()
    }

    /// The postmaster, to be watched.
    #[must_use]
    pub fn process(&self) -> &BoundProcess {
        self.0.process()
    }

    /// # Errors
    /// When it stays.
    pub async fn stop(self) -> Result<()> {
        self.0.stop().await
    }
}
