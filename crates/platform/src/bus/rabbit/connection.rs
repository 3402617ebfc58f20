//! The one connection of a process: made when first needed, made again when lost. Whoever gets a channel may
//! rely on the topology being declared.

use std::time::Duration;

use lapin::{
    Channel, Connection, ConnectionProperties,
    tcp::{OwnedIdentity, OwnedTLSConfig},
    uri::AMQPUri,
};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use super::topology;
use crate::bus::{BusAway, Topology};

const BACKOFF_MIN: Duration = Duration::from_millis(200);
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// For the connection and what asks for every queue: the declaration of everything, which a starting broker answers slowly.
const CONNECT_LIMIT: Duration = Duration::from_secs(15);
const CHANNEL_LIMIT: Duration = Duration::from_secs(5);
/// A peer that has been silent for twice as long is gone.
const HEARTBEAT_SECONDS: u16 = 10;

/// How long those who found the bus away wait before they ask again.
pub(super) const RETRY: Duration = BACKOFF_MIN;

pub(super) struct Link {
    /// `None` when the URL cannot be read; it is not kept, because it holds the password.
    uri: Option<AMQPUri>,
    topology: Topology,
    tls: TlsFiles,
    state: Mutex<State>,
}

/// Who may sign the broker's certificate, and what we show of ourselves. Read for each connection, since they are renewed.
#[derive(Clone, Default)]
pub(super) struct TlsFiles {
    /// The certificate and its key.
    pub(super) own: Option<(String, String)>,
    pub(super) authority: Option<String>,
}

impl TlsFiles {
    pub(super) fn read(&self) -> Result<OwnedTLSConfig, String> {
        let read =
            |file: &String| std::fs::read(file).map_err(|error| format!("cannot read {file}: {error}"));
        let identity = match &self.own {
            Some((certificate, key)) => {
                Some(OwnedIdentity::PKCS8 { pem: read(certificate)?, key: read(key)? })
            }
            None => None,
        };
        let cert_chain = match &self.authority {
            Some(file) => Some(String::from_utf8(read(file)?).map_err(|error| error.to_string())?),
            None => None,
        };
        Ok(OwnedTLSConfig { identity, cert_chain })
    }
}

struct State {
    connection: Option<Connection>,
    failures: u32,
    not_before: Instant,
}

impl Link {
    pub(super) fn new(url: &str, topology: Topology, tls: TlsFiles) -> Self {
        let uri = url.parse::<AMQPUri>().ok().map(|mut uri| {
            uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
            uri
        });
        let state = State { connection: None, failures: 0, not_before: Instant::now() };
        Self { uri, topology, tls, state: Mutex::new(state) }
    }

    pub(super) fn topology(&self) -> &Topology {
        &self.topology
    }

    /// A channel of its own for the caller; fails at once while the broker is known to be away.
    pub(super) async fn channel(&self) -> Result<Channel, BusAway> {
        let mut state = self.state.lock().await;
        let connection = self.connected(&mut state).await?;
        within(CHANNEL_LIMIT, connection.create_channel()).await
    }

    /// Whether the broker takes messages from us; connects if that is still to be done.
    pub(super) async fn check(&self) -> Result<(), BusAway> {
        self.connected(&mut *self.state.lock().await).await.map(drop)
    }

    pub(super) async fn declare(&self) -> Result<(), BusAway> {
        let channel = self.channel().await?;
        within(CONNECT_LIMIT, topology::declare(&channel, &self.topology)).await
    }

    pub(super) async fn dead_letters(&self) -> Result<u32, BusAway> {
        let channel = self.channel().await?;
        within(CHANNEL_LIMIT, topology::dead_letters(&channel)).await
    }

    pub(super) async fn waiting(&self) -> Result<u32, BusAway> {
        let channel = self.channel().await?;
        within(CONNECT_LIMIT, topology::waiting(&channel, &self.topology)).await
    }

    async fn connected<'a>(&self, state: &'a mut State) -> Result<&'a Connection, BusAway> {
        if state.connection.as_ref().is_none_or(|connection| !connection.status().connected()) {
            state.connection = None;
            self.reconnect(state).await?;
        }
        match state.connection.as_ref() {
            // It reads nothing from us: who asks for a channel would wait for nothing.
            Some(connection) if connection.status().blocked() => {
                Err(BusAway("the broker is short of memory or disk and takes nothing in".to_owned()))
            }
            Some(connection) => Ok(connection),
            None => Err(BusAway("not connected".to_owned())),
        }
    }

    async fn reconnect(&self, state: &mut State) -> Result<(), BusAway> {
        if Instant::now() < state.not_before {
            return Err(BusAway("the last attempt to connect failed a moment ago".to_owned()));
        }
        match self.open().await {
            Ok(connection) => {
                tracing::info!(failed_attempts = state.failures, "connected to the bus");
                *state = State { connection: Some(connection), failures: 0, not_before: Instant::now() };
                Ok(())
            }
            Err(error) => {
                // Once per outage: an operator wants to know that, not how often.
                if state.failures == 0 {
                    tracing::warn!(%error, "events wait in the outbox until the bus is back");
                }
                state.not_before = Instant::now() + backoff(state.failures);
                state.failures = state.failures.saturating_add(1);
                Err(error)
            }
        }
    }

    async fn open(&self) -> Result<Connection, BusAway> {
        // The parser's own message repeats the URL.
        let uri = self
            .uri
            .clone()
            .ok_or_else(|| BusAway("its URL is not like amqp://user:password@host:5672/vhost".to_owned()))?;
        let options = ConnectionProperties::default().with_connection_name("quenty".into());
        let tls = self.tls.read().map_err(BusAway)?;
        within(CONNECT_LIMIT, async {
            let runtime = lapin::runtime::default_runtime()?;
            let connection = Connection::connect_uri_with_config(uri, options, tls, runtime).await?;
            let channel = connection.create_channel().await?;
            topology::declare(&channel, &self.topology).await?;
            channel.close(200, "declared".into()).await?;
            Ok(connection)
        })
        .await
    }
}

fn backoff(failures: u32) -> Duration {
    BACKOFF_MIN.saturating_mul(2_u32.saturating_pow(failures)).min(BACKOFF_MAX)
}

pub(super) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = lapin::Result<T>>,
) -> Result<T, BusAway> {
    match timeout(limit, work).await {
        Ok(outcome) => outcome.map_err(BusAway::because),
        Err(_) => Err(BusAway(format!("the broker did not answer within {limit:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_between_attempts_grow_up_to_five_seconds() {
        let pauses: Vec<_> = (0..7).map(|failures| backoff(failures).as_millis()).collect();
        assert_eq!(pauses, [200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(backoff(u32::MAX), BACKOFF_MAX);
    }

    #[tokio::test]
    async fn neither_a_bad_url_nor_a_refused_connection_shows_the_password() {
        for url in ["amqp:quenty:hush@", "http://quenty:hush@127.0.0.1", "amqp://quenty:hush@127.0.0.1:1/v"] {
            let error = Link::new(url, Topology::default(), TlsFiles::default())
                .check()
                .await
                .unwrap_err()
                .to_string();
            assert!(!error.contains("hush"), "{error}");
        }
    }
}
