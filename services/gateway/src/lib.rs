//! The API gateway (port 8000): the only way in. It reads requests strictly, routes by the services' own descriptions,
//! checks tokens, counts what each caller asks for, checks bodies, turns every failure into a problem document and shows
//! the health and the reference of all.
//!
//! It must never contain business, and never call an address that is not a known service.

mod bodies;
mod client_address;
mod config;
mod cors;
mod door;
mod edge;
mod guards;
mod health;
mod identity;
mod limits;
mod merged;
mod proxy;
mod reference;
mod retirement;
mod table;
mod unreadable;
mod upstream;

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use axum::body::Body;
use futures_util::future::join_all;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use quenty_platform::{
    settings::{Setting, Settings},
    token::Verifier,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use bodies::Bounds;
use client_address::{Client as Peer, Proxies};
use cors::Cors;
use guards::Guards;
use limits::Limits;
pub use table::Conflict;
use table::Table;
use unreadable::Telling;
use upstream::Description;
pub use upstream::Upstream;

/// The port of the mission.
pub const PORT: u16 = 8000;

/// What the gateway reads beside the chassis's settings.
pub const SETTINGS: &[Setting] = &config::SETTINGS;

const REFRESH_EVERY: Duration = Duration::from_secs(10);
const REFRESH_UNTIL_COMPLETE: Duration = Duration::from_millis(250);
const DRAIN: Duration = Duration::from_secs(10);
/// hyper reads with no less.
const LEAST_HEADER_BYTES: usize = 8192;

/// The gateway of one process.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    upstreams: Vec<Upstream>,
    verifier: Verifier,
    client: Client<HttpConnector, Body>,
    upstream_timeout: Duration,
    header_timeout: Duration,
    max_header_bytes: usize,
    max_connections: usize,
    proxies: Proxies,
    cors: Cors,
    guards: Guards,
    limits: Limits,
    bounds: Bounds,
    /// The route of what has none.
    unmatched: Arc<str>,
    table: RwLock<Arc<Table>>,
}

#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    #[error(transparent)]
    Settings(#[from] quenty_platform::settings::SettingsError),
    #[error(transparent)]
    Conflict(#[from] Conflict),
}

impl Gateway {
    /// A gateway to these services. Its routes are read at once where a service is in this process, and kept
    /// fresh by [`Gateway::serve`] where it is not.
    ///
    /// # Errors
    /// When a setting does not parse, or two services claim the same path.
    pub fn new(
        settings: &Settings,
        verifier: Verifier,
        upstreams: Vec<Upstream>,
    ) -> Result<Self, GatewayError> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(Duration::from_secs(1)));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(256)
            .build(connector);
        let known = upstreams.iter().map(|upstream| (upstream.name, upstream.description().cloned()));
        let table = Table::new(&known.collect::<Vec<_>>())?;
        Ok(Self(Arc::new(Inner {
            upstreams,
            verifier,
            client,
            upstream_timeout: config::milliseconds(settings, "upstream_timeout_ms")?,
            header_timeout: config::milliseconds(settings, "header_timeout_ms")?,
            max_header_bytes: settings.parse::<usize>("max_header_bytes")?.max(LEAST_HEADER_BYTES),
            max_connections: settings.parse("max_connections")?,
            proxies: Proxies(config::list(settings, "trusted_proxies")?),
            cors: Cors::of(settings)?,
            guards: Guards::of(settings)?,
            limits: Limits::of(settings)?,
            bounds: Bounds::of(settings)?,
            unmatched: "unmatched".into(),
            table: RwLock::new(Arc::new(table)),
        })))
    }

    fn table(&self) -> Arc<Table> {
        Arc::clone(&self.0.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn route_by(&self, known: &[Option<Description>]) {
        match Table::new(&self.named(known)) {
            Ok(table) => *self.0.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table),
            Err(conflict) => tracing::error!(%conflict, "the routes stay as they were"),
        }
    }

    fn named(&self, known: &[Option<Description>]) -> Vec<(&'static str, Option<Description>)> {
        self.0.upstreams.iter().map(|upstream| upstream.name).zip(known.iter().cloned()).collect()
    }

    /// Serves until `stop`; then no new connections, and running requests finish.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) {
        let mut work = JoinSet::new();
        work.spawn(self.clone().keep_routes_fresh(stop.clone()));
        work.spawn(self.clone().keep_keys_fresh(stop.clone()));
        let connections = GracefulShutdown::new();
        // The time for headers runs from the first moment, also for who sends nothing at all.
        let mut server = http1::Builder::new();
        server
            .timer(TokioTimer::new())
            .header_read_timeout(self.0.header_timeout)
            .max_buf_size(self.0.max_header_bytes);
        let places = Arc::new(Semaphore::new(self.0.max_connections));
        loop {
            let (place, (stream, peer)) = tokio::select! {
                () = stop.cancelled() => break,
                accepted = accept(&listener, &places) => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        // Out of file descriptors, or the client is gone already: neither ends the gateway.
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        continue;
                    }
                },
            };
            drop(stream.set_nodelay(true));
            let gateway = self.clone();
            let peer = Peer { address: peer.ip(), by_tls: false };
            let handle = service_fn(move |request: hyper::Request<Incoming>| {
                let gateway = gateway.clone();
                async move {
                    Ok::<_, std::convert::Infallible>(
                        edge::answer(&gateway, request.map(Body::new), peer).await,
                    )
                }
            });
            let connection =
                connections.watch(server.serve_connection(TokioIo::new(Telling::new(stream)), handle));
            work.spawn(async move {
                // A client that breaks off is its own affair.
                drop(connection.await);
                drop(place);
            });
            while work.try_join_next().is_some() {}
        }
        drop(listener);
        if tokio::time::timeout(DRAIN, connections.shutdown()).await.is_err() {
            tracing::warn!("some connections were cut off after {DRAIN:?}");
        }
    }

    async fn keep_keys_fresh(self, stop: CancellationToken) {
        self.0.verifier.clone().keep_fresh(stop).await;
    }

    /// Services that are elsewhere may come, go and change: their descriptions are read again and again.
    async fn keep_routes_fresh(self, stop: CancellationToken) {
        let mut known: Vec<_> =
            self.0.upstreams.iter().map(|upstream| upstream.description().cloned()).collect();
        while !stop.is_cancelled() {
            let fetched = self.0.upstreams.iter().map(|upstream| upstream.fetch_description(&self.0.client));
            let mut changed = false;
            for (slot, fetched) in known.iter_mut().zip(join_all(fetched).await) {
                if fetched.is_some() && fetched != *slot {
                    (*slot, changed) = (fetched, true);
                }
            }
            // What is compiled of a description is kept as long as it says the same.
            if changed {
                self.route_by(&known);
            }
            let pause =
                if known.iter().all(Option::is_some) { REFRESH_EVERY } else { REFRESH_UNTIL_COMPLETE };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(OwnedSemaphorePermit, (TcpStream, SocketAddr))> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    Ok((place, listener.accept().await?))
}
