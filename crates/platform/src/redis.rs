//! The Redis that the processes of a platform share, for what is counted and looked up often and may be lost: every
//! use of it has a way to go on without.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use redis::{
    Client, Cmd, FromRedisValue, RedisResult, ScriptInvocation, TlsCertificates,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

pub use redis::{Script, cmd};
use tokio::time::{error::Elapsed, timeout};

use crate::settings::{Setting, Settings};

/// Whoever uses Redis has these among its settings.
pub const SETTINGS: &[Setting] = &[
    Setting::new(
        "redis_url",
        "Redis, like `rediss://user:password@host:6379`; without it, each process counts and keeps for itself",
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
/// Nobody waits for a Redis that has just not answered.
const LEFT_ALONE: Duration = Duration::from_secs(1);

/// Redis cannot do it now.
#[derive(Debug, thiserror::Error)]
pub enum RedisAway {
    #[error("redis is away: {0}")]
    Failed(#[from] redis::RedisError),
    #[error("redis does not answer within {ANSWER_LIMIT:?}")]
    Slow(#[from] Elapsed),
    #[error("redis has just not answered and is left alone for a moment")]
    LeftAlone,
}

/// One connection, shared by all; it comes back by itself.
#[derive(Clone)]
pub struct Redis {
    connection: ConnectionManager,
    left_alone_until: Arc<Mutex<Option<Instant>>>,
}

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
        let connection = ConnectionManager::new_lazy_with_config(client, config).map_err(unusable)?;
        Ok(Some(Self { connection, left_alone_until: Arc::default() }))
    }

    /// The same connection for another use: what is refused to one of them, such as keys that its user may not have, keeps
    /// the other from nothing.
    #[must_use]
    pub fn for_another_use(&self) -> Self {
        Self { connection: self.connection.clone(), left_alone_until: Arc::default() }
    }

    /// # Errors
    /// When Redis does not answer in time or refuses, or has just not answered.
    pub async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisAway> {
        self.within_limit(command.query_async(&mut self.connection.clone())).await
    }

    /// # Errors
    /// As [`Redis::ask`].
    pub async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, RedisAway> {
        self.within_limit(script.invoke_async(&mut self.connection.clone())).await
    }

    async fn within_limit<T>(&self, asked: impl Future<Output = RedisResult<T>>) -> Result<T, RedisAway> {
        let is_trial = self.may_ask()?;
        let answer = timeout(ANSWER_LIMIT, asked).await;
        let answer = answer.map_err(RedisAway::from).and_then(|answer| answer.map_err(RedisAway::from));
        if let Err(error) = &answer {
            tracing::warn!(%error, "redis is left alone for {LEFT_ALONE:?}");
            self.leave_alone_until(Some(Instant::now() + LEFT_ALONE));
        } else if is_trial {
            self.leave_alone_until(None);
        }
        answer
    }

    /// Whether this is the first one that asks after a while: the others go on without an answer until it has one.
    fn may_ask(&self) -> Result<bool, RedisAway> {
        let mut left_alone_until = self.left_alone_until.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(until) = *left_alone_until else { return Ok(false) };
        let now = Instant::now();
        if now < until {
            return Err(RedisAway::LeftAlone);
        }
        *left_alone_until = Some(now + ANSWER_LIMIT);
        Ok(true)
    }

    fn leave_alone_until(&self, until: Option<Instant>) {
        *self.left_alone_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
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
