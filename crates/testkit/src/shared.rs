//! The servers that all tests share. Each test takes its own database or virtual host in them.
//!
//! `cargo xtask with-servers` starts them once for all test processes and names them in the environment. Without
//! it, as under a plain `cargo test`, each process starts its own when first asked; they end with it.

use std::path::Path;

use anyhow::Context;
use quenty_platform::embedded_postgres::{EmbeddedPostgres, Options};
use tokio::sync::OnceCell;

use crate::rabbit::{RabbitBroker, RabbitServer};
use crate::scratch_dir::ScratchDir;

pub const POSTGRES_URL: &str = "QUENTY_TEST_POSTGRES_URL";
pub const AMQP_URL: &str = "QUENTY_TEST_AMQP_URL";
pub const RABBIT_MANAGEMENT_URL: &str = "QUENTY_TEST_RABBIT_MANAGEMENT_URL";

/// A PostgreSQL server that tests share, as its superuser sees it.
#[derive(Debug, Clone)]
pub struct SharedPostgres {
    base: String,
}

impl SharedPostgres {
    /// From `postgres://user:password@host:port`, with or without a database.
    pub fn from_url(url: &str) -> anyhow::Result<Self> {
        let address =
            url.strip_prefix("postgres://").with_context(|| format!("{POSTGRES_URL} needs postgres://"))?;
        let authority = address.split('/').next().unwrap_or(address);
        Ok(Self { base: format!("postgres://{authority}") })
    }

    /// The superuser's URL of one database; `postgres` always exists.
    #[must_use]
    pub fn superuser_url(&self, database: &str) -> String {
        format!("{}/{database}", self.base)
    }
}

/// Starts a server made for tests below `dir`: fast, many connections, nothing survives a crash.
pub async fn start_postgres(dir: &Path) -> anyhow::Result<EmbeddedPostgres> {
    let options = Options { ephemeral: true, max_connections: 500, ..Options::new(dir.join("postgres")) };
    Ok(EmbeddedPostgres::start(options).await?)
}

pub async fn shared_postgres() -> anyhow::Result<&'static SharedPostgres> {
    static SHARED: OnceCell<(SharedPostgres, Option<(EmbeddedPostgres, ScratchDir)>)> = OnceCell::const_new();
    let start = async || {
        if let Some(url) = environment(POSTGRES_URL)? {
            return anyhow::Ok((SharedPostgres::from_url(&url)?, None));
        }
        let folder = ScratchDir::new("quenty-test-postgres")?;
        let server = start_postgres(folder.path()).await?;
        let shared = SharedPostgres::from_url(&server.superuser_url("postgres"))?;
        Ok((shared, Some((server, folder))))
    };
    SHARED.get_or_try_init(start).await.map(|(shared, _)| shared)
}

pub async fn shared_rabbit() -> anyhow::Result<&'static RabbitBroker> {
    static SHARED: OnceCell<(RabbitBroker, Option<(RabbitServer, ScratchDir)>)> = OnceCell::const_new();
    let start = async || {
        if let Some(amqp) = environment(AMQP_URL)? {
            let management = environment(RABBIT_MANAGEMENT_URL)?;
            let management = management.with_context(|| format!("{RABBIT_MANAGEMENT_URL} is not set"))?;
            return anyhow::Ok((RabbitBroker::from_urls(&amqp, &management)?, None));
        }
        let folder = ScratchDir::new("quenty-test-rabbit")?;
        let server = RabbitServer::start(&folder.path().join("rabbit")).await?;
        Ok((server.broker().clone(), Some((server, folder))))
    };
    SHARED.get_or_try_init(start).await.map(|(shared, _)| shared)
}

fn environment(name: &str) -> anyhow::Result<Option<String>> {
    let Some(value) = std::env::var_os(name) else { return Ok(None) };
    value.into_string().map(Some).map_err(|_| anyhow::anyhow!("{name} is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_gives_the_urls_of_all_databases() {
        for given in ["postgres://me:pw@127.0.0.1:5432", "postgres://me:pw@127.0.0.1:5432/postgres"] {
            let shared = SharedPostgres::from_url(given).unwrap();
            assert_eq!(shared.superuser_url("order_db"), "postgres://me:pw@127.0.0.1:5432/order_db");
        }
        assert!(SharedPostgres::from_url("mysql://me@host").is_err());
    }
}
