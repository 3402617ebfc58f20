//! The API gateway (port 8000): the only way in. It reads requests strictly, routes by the services' own descriptions,
//! checks tokens, counts what each caller asks for, checks bodies, turns every failure into a problem document and shows
//! the health and the reference of all.
//!
//! It must never contain business, and never call an address that is not a known service.

mod api_keys;
mod bodies;
mod cache;
mod client_address;
mod compression;
mod config;
mod cors;
mod door;
mod edge;
mod exchange;
mod guards;
mod health;
mod identity;
mod limits;
mod listener;
mod merged;
mod proxy;
mod reference;
mod retirement;
mod status;
mod streams;
mod table;
mod timings;
mod tls;
mod unreadable;
mod upstream;

use std::{
    collections::HashMap,
    hash::RandomState,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::body::Bytes;
use futures_util::future::join_all;
use hyper_util::client::legacy::connect::HttpConnector;
use quenty_platform::{
    client::{self, Client as Siblings, Https, Transport},
    discovery::Discovery,
    redis::{self, Redis},
    settings::{self, Setting, Settings, SettingsError},
    tls as platform_tls,
    token::Verifier,
};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use api_keys::ApiKeys;
use bodies::Bounds;
use cache::Cache;
use client_address::Proxies;
use cors::Cors;
use guards::Guards;
use limits::Limits;
pub use table::Misdescribed;
use table::Table;
use timings::Timings;
pub use tls::TlsError;
pub use upstream::Upstream;
use upstream::{Budget, Description, Gate};

/// The port of the mission.
pub const PORT: u16 = 8000;

/// What the gateway reads beside the chassis's settings.
pub const SETTINGS: &[Setting] = &settings::joined::<COUNT>(&[&config::SETTINGS, redis::SETTINGS]);
const COUNT: usize = config::SETTINGS.len() + redis::SETTINGS.len();

const REFRESH_EVERY: Duration = Duration::from_secs(10);
/// While a service has not described itself all are asked more often: at first after the shorter time, in the end after
/// the longer one.
const REFRESH_UNTIL_COMPLETE: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(2)];
/// Whoever comes to a gateway that has just started waits so long at most until it knows what it needs.
const BEGINS_WITHIN: Duration = Duration::from_secs(3);
const BEGINNING: Duration = Duration::from_millis(20);
/// Processes that are left alone are asked whether they are ready.
const TAKE_BACK_EVERY: Duration = Duration::from_secs(1);
/// What is wrong with a description is said again after so long, while it is.
const SAID_AGAIN_AFTER: Duration = Duration::from_secs(300);
/// A service's machine that is gone without a word is found out by asking for it.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// hyper reads with no less.
const LEAST_HEADER_BYTES: usize = 8192;

/// The gateway of one process.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    upstreams: Vec<Upstream>,
    verifier: Verifier,
    api_keys: ApiKeys,
    /// To services, in the clear or by TLS, as their URLs say.
    connector: Https,
    upstream_timeout: Duration,
    header_timeout: Duration,
    write_timeout: Duration,
    max_header_bytes: usize,
    max_connections: usize,
    /// How long it is not ready before it takes in nothing more.
    drain: Duration,
    draining: AtomicBool,
    started: Instant,
    has_begun: AtomicBool,
    tls: Option<TlsAcceptor>,
    proxies: Proxies,
    cors: Cors,
    guards: Guards,
    limits: Limits,
    bounds: Bounds,
    cache: Cache,
    /// Of each upstream: how much it does at a time, and how often it is asked again.
    gates: Vec<Gate>,
    budgets: Vec<Budget>,
    /// What gates count callers by; random, so that nobody can choose to be counted with another.
    numbers: RandomState,
    /// The route of what has none.
    unmatched: Arc<Timings>,
    /// The gateway's own pages.
    own: Mutex<HashMap<&'static str, Arc<Timings>>>,
    table: RwLock<Arc<Table>>,
}

#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    #[error(transparent)]
    Settings(#[from] quenty_platform::settings::SettingsError),
    #[error(transparent)]
    Misdescribed(#[from] Misdescribed),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    ServiceTls(#[from] platform_tls::TlsError),
    #[error("{0}")]
    Redis(String),
}

impl Gateway {
    /// A gateway to these services. Its routes are read at once where a service is in this process, and kept
    /// fresh by [`Gateway::serve`] where it is not.
    ///
    /// # Errors
    /// When a setting does not parse or cannot be used, or the services' descriptions do not go together.
    pub fn new(
        settings: &Settings,
        verifier: Verifier,
        discovery: Discovery,
        upstreams: Vec<Upstream>,
    ) -> Result<Self, GatewayError> {
        let mut http = HttpConnector::new();
        http.set_nodelay(true);
        http.set_keepalive(Some(KEEPALIVE));
        http.set_connect_timeout(Some(Duration::from_secs(1)));
        let connector = client::connector(http, platform_tls::to_services(settings)?);
        let known = upstreams.iter().map(|upstream| (upstream.name, upstream.description().cloned()));
        let table = Table::new(&known.collect::<Vec<_>>())?;
        let concurrency: usize = settings.parse("upstream_concurrency")?;
        let delay = config::milliseconds(settings, "overload_delay_ms")?;
        let redis = Redis::from_settings(settings).map_err(|error| GatewayError::Redis(error.to_string()))?;
        Ok(Self(Arc::new(Inner {
            gates: upstreams.iter().map(|upstream| Gate::new(upstream.name, concurrency, delay)).collect(),
            budgets: upstreams.iter().map(|_| Budget::default()).collect(),
            numbers: RandomState::new(),
            upstreams,
            api_keys: ApiKeys::new(
                Siblings::new("gateway", settings.clone(), discovery, Transport::from_settings(settings)?),
                verifier.clone(),
            ),
            verifier,
            connector,
            upstream_timeout: config::milliseconds(settings, "upstream_timeout_ms")?,
            header_timeout: config::milliseconds(settings, "header_timeout_ms")?,
            write_timeout: config::milliseconds(settings, "write_timeout_ms")?,
            max_header_bytes: settings.parse::<usize>("max_header_bytes")?.max(LEAST_HEADER_BYTES),
            max_connections: settings.parse("max_connections")?,
            drain: config::milliseconds(settings, "drain_ms")?,
            draining: AtomicBool::new(false),
            started: Instant::now(),
            has_begun: AtomicBool::new(false),
            tls: tls::acceptor(settings)?,
            proxies: Proxies(config::list(settings, "trusted_proxies")?),
            cors: Cors::of(settings)?,
            guards: Guards::of(settings)?,
            limits: Limits::of(settings, redis.as_ref().map(Redis::for_another_use))?,
            bounds: Bounds::of(settings)?,
            cache: Cache::of(settings, redis)?,
            unmatched: Arc::new(Timings::of("unmatched")),
            own: Mutex::default(),
            table: RwLock::new(Arc::new(table)),
        })))
    }

    /// Takes over what is reloadable of these settings.
    ///
    /// # Errors
    /// When one of them cannot be used: then all stay as they were.
    pub fn reload(&self, settings: &Settings) -> Result<(), SettingsError> {
        self.0.limits.reload(settings)
    }

    fn table(&self) -> Arc<Table> {
        Arc::clone(&self.0.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn own_timings(&self, route: &'static str) -> Arc<Timings> {
        let mut own = self.0.own.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(own.entry(route).or_insert_with(|| Arc::new(Timings::of(route))))
    }

    /// Routes by all that goes together: a service whose description does not stays as it was. Tells which, and why.
    fn route_by(
        &self,
        known: &[Option<Description>],
        routed: &mut Vec<Option<Description>>,
    ) -> Vec<(&'static str, Misdescribed)> {
        if let Ok(table) = Table::new(&self.named(known)) {
            known.clone_into(routed);
            self.take_over(table);
            return Vec::new();
        }
        let mut refused = Vec::new();
        for (at, description) in known.iter().enumerate() {
            if routed[at] == *description {
                continue;
            }
            let before = std::mem::replace(&mut routed[at], description.clone());
            match Table::new(&self.named(routed)) {
                Ok(table) => self.take_over(table),
                Err(why) => {
                    routed[at] = before;
                    refused.push((self.0.upstreams[at].name, why));
                }
            }
        }
        refused
    }

    fn take_over(&self, table: Table) {
        *self.0.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
    }

    fn named(&self, known: &[Option<Description>]) -> Vec<(&'static str, Option<Description>)> {
        self.0.upstreams.iter().map(|upstream| upstream.name).zip(known.iter().cloned()).collect()
    }

    /// Serves until `stop`; then no new connections, and running requests finish.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) {
        let mut upkeep = JoinSet::new();
        upkeep.spawn(self.clone().keep_routes_fresh(stop.clone()));
        upkeep.spawn(self.clone().take_processes_back(stop.clone()));
        upkeep.spawn(self.clone().keep_keys_fresh(stop.clone()));
        listener::serve(&self, listener, stop).await;
    }

    /// From now on it is not ready: whoever shares requests out sends it no more.
    fn drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Relaxed)
    }

    fn has_begun(&self) -> bool {
        self.0.has_begun.load(Ordering::Relaxed)
    }

    /// Waits until all services have described themselves and tokens can be checked, or could have been: a gateway that
    /// starts beside others tells nobody to come again, and need not be passed over.
    async fn begin(&self) {
        while self.0.started.elapsed() < BEGINS_WITHIN
            && !(self.table().complete && self.0.verifier.is_ready().await)
        {
            tokio::time::sleep(BEGINNING).await;
        }
        self.0.has_begun.store(true, Ordering::Relaxed);
    }

    async fn take_processes_back(self, stop: CancellationToken) {
        let taking_back = async {
            loop {
                tokio::time::sleep(TAKE_BACK_EVERY).await;
                let upstreams = self.0.upstreams.iter();
                join_all(upstreams.map(|upstream| upstream.take_back_who_is_ready(&self.0.connector))).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = taking_back => {}
        }
    }

    async fn keep_keys_fresh(self, stop: CancellationToken) {
        self.0.verifier.clone().keep_fresh(stop).await;
    }

    /// Services that are elsewhere may come, go and change: their descriptions are read again and again.
    async fn keep_routes_fresh(self, stop: CancellationToken) {
        let upstreams = &self.0.upstreams;
        let mut known: Vec<_> = upstreams.iter().map(|upstream| upstream.description().cloned()).collect();
        let (mut routed, mut refused, mut said) = (known.clone(), Vec::new(), Instant::now());
        let mut texts = vec![Bytes::new(); upstreams.len()];
        let [first_pause, longest_pause] = REFRESH_UNTIL_COMPLETE;
        let mut pause = first_pause;
        while !stop.is_cancelled() {
            let fetched = upstreams.iter().map(|upstream| upstream.fetch_description(&self.0.connector));
            let mut changed = false;
            for (at, fetched) in join_all(fetched).await.into_iter().enumerate() {
                // What is compiled of a description is kept as long as it says the same.
                let Some(fetched) = fetched.filter(|fetched| *fetched != texts[at]) else { continue };
                match serde_json::from_slice(&fetched) {
                    Ok(description) => (known[at], changed) = (Some(Arc::new(description)), true),
                    Err(error) => {
                        let service = upstreams[at].name;
                        tracing::error!(service, %error, "its description is no JSON: its routes stay as they were");
                    }
                }
                texts[at] = fetched;
            }
            if changed {
                refused = self.route_by(&known, &mut routed);
            }
            if changed || said.elapsed() > SAID_AGAIN_AFTER {
                for (service, why) in &refused {
                    tracing::error!(service, %why, "its routes stay as they were");
                }
                said = Instant::now();
            }
            let is_complete = known.iter().all(Option::is_some);
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(if is_complete { REFRESH_EVERY } else { pause }) => {}
            }
            pause = (pause * 2).min(longest_pause);
        }
    }
}
