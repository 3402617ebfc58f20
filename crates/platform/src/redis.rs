//! The Redis that the processes of a platform share, for what is counted and looked up often and may be lost: every
//! use of it has a way to go on without.

use std::time::Duration;

use redis::{
    Client, Cmd, FromRedisValue, ScriptInvocation, TlsCertificates,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

pub use redis::{Script, cmd};
use tokio::time::{error::Elapsed, timeout};

use crate::settings::{Setting, Settings};

/// Whoever uses Redis has these among its settings.
pub const SETTINGS: &[Setting] = &[
    Setting::new(
        "redis_url",
        "Redis, like `rediss://user:password@host:6379`; without it, each process counts for itself",
    )
    .secret(),
    Setting::new(
        "redis_ca_file",
        "who signs Redis's certificate, in PEM; without it `ca_file`, else the public authorities",
    ),
];

/// A request that waits for longer is better off without Redis, whether it connects or answers.
const ANSWER_LIMIT: Duration = Duration::from_millis(250);
const CONNECT_LIMIT: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Redis cannot do it now.
#[derive(Debug, thiserror::Error)]
pub enum RedisAway {
    #[error("redis is away: {0}")]
    Failed(#[from] redis::RedisError),
    #[error("redis does not answer within {ANSWER_LIMIT:?}")]
    Slow(#[from] Elapsed),
}

/// One connection, shared by all; it comes back by itself.
#[derive(Clone)]
pub struct Redis(ConnectionManager);

impl Redis {
    /// Connects when it is first asked something; nothing if the settings name no Redis.
    ///
    /// # Errors
    /// When the URL or the certificates cannot be read.
    pub fn from_settings(settings: &Settings) -> crate::Result<Option<Self>> {
        let Some(url) = settings.get("redis_url") else { return Ok(None) };
        let root_cert = match settings.get("redis_ca_file").or(settings.get("ca_file")) {
            Some(path) => Some(std::fs::read(path).map_err(|error| {
                crate::Error::internal(format!("who signs Redis's certificate: {path}: {error}"))
            })?),
            None => None,
        };
        // The URL holds a password, and errors about it may repeat it.
        let unusable = |_| crate::Error::internal("QUENTY_REDIS_URL is no URL of a Redis that can be used");
        let client = if root_cert.is_some() {
            Client::build_with_tls(url, TlsCertificates { client_tls: None, root_cert }).map_err(unusable)?
        } else {
            Client::open(url).map_err(unusable)?
        };
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(ANSWER_LIMIT))
            .set_connection_timeout(Some(CONNECT_LIMIT))
            .set_max_delay(LONGEST_PAUSE);
        Ok(Some(Self(ConnectionManager::new_lazy_with_config(client, config).map_err(unusable)?)))
    }

    /// # Errors
    /// When Redis does not answer in time, or refuses.
    pub async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisAway> {
        Ok(timeout(ANSWER_LIMIT, command.query_async(&mut self.0.clone())).await??)
    }

    /// # Errors
    /// As [`Redis::ask`].
    pub async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, RedisAway> {
        Ok(timeout(ANSWER_LIMIT, script.invoke_async(&mut self.0.clone())).await??)
    }
}

/// The line of Redis's ACL file by which `user` reaches the keys below `prefixes`, and nothing else.
#[must_use]
pub fn acl(user: &str, password: &str, prefixes: &[&str]) -> String {
    let keys: String = prefixes.iter().map(|prefix| format!(" ~{prefix}:*")).collect();
    format!(
        "user {user} on >{password} resetkeys{keys} resetchannels -@all +@connection +@read +@write +@scripting -@dangerous"
    )
}
