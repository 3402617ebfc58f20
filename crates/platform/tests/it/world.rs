//! What one test has to itself: a database per service, a bus, and processes that it may start and stop.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use lapin::{Connection, ConnectionProperties, options::BasicGetOptions};
use quenty_kernel::{Clock, Envelope, Event, Scope, id::new_uuid};
use quenty_platform::{
    App,
    bus::{Bus, local::LocalBus, rabbit::RabbitBus},
    client::Transport,
    journal,
    lifecycle::{self, Running, Surroundings},
    operate::{self, DeadLetter},
    settings::{CHASSIS, Settings},
};
use quenty_testkit::{database::TestDatabase, rabbit::RabbitBroker, shared::shared_rabbit};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    faults::Faults,
    tally::{self, ALL, CONSUMERS, CounterId, LEDGER, MIRROR},
    waiting::until,
};

/// What a process has to know; child processes read it from their environment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// Without one, the services are joined by the local bus.
    pub amqp_url: Option<String>,
    pub database_urls: BTreeMap<String, String>,
    pub retry_pause_ms: u64,
    pub task_timeout_ms: u64,
    /// The version before: it hears nothing of [`tally::Renamed`] yet.
    #[serde(default)]
    pub old: bool,
}

/// Services that run in one process, on one bus.
pub struct Node {
    pub bus: Arc<dyn Bus>,
    running: Vec<Running>,
    stop: CancellationToken,
}

pub struct World {
    pub plan: Plan,
    pub faults: BTreeMap<&'static str, Faults>,
    pools: BTreeMap<&'static str, PgPool>,
    /// The local bus is one for all nodes: it joins what runs in this process.
    local: Option<Arc<dyn Bus>>,
    /// Goes with the world: a broker works for every queue that it has, also when nobody uses it.
    vhost: Option<(RabbitBroker, String)>,
}

impl Plan {
    fn connect(&self) -> Arc<dyn Bus> {
        match &self.amqp_url {
            Some(url) if self.old => Arc::new(RabbitBus::connect_lazily(url, tally::old_topology())),
            Some(url) => Arc::new(RabbitBus::connect_lazily(url, tally::topology())),
            None => Arc::new(LocalBus::new(tally::topology())),
        }
    }

    /// Starts a process of these services on a bus of its own.
    pub async fn start(&self, services: &[&'static str], faults: &BTreeMap<&'static str, Faults>) -> Node {
        self.start_on(self.connect(), services, faults).await
    }

    async fn start_on(
        &self,
        bus: Arc<dyn Bus>,
        services: &[&'static str],
        faults: &BTreeMap<&'static str, Faults>,
    ) -> Node {
        let mut node = Node { bus, running: Vec::new(), stop: CancellationToken::new() };
        for name in services {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            self.serve(&mut node, name, faults, listener).await;
        }
        node
    }

    async fn serve(
        &self,
        node: &mut Node,
        name: &'static str,
        faults: &BTreeMap<&'static str, Faults>,
        listener: TcpListener,
    ) {
        let mut service = tally::service(name, faults.get(name).cloned().unwrap_or_default());
        if self.old {
            service.reactions.retain(|reaction| reaction.kind == tally::Added::TYPE);
        }
        let running = lifecycle::serve(service, self.settings(name), &node.surroundings(), listener).await;
        node.running.push(running.expect("the service starts"));
    }

    fn settings(&self, service: &str) -> Settings {
        Settings::load(&[CHASSIS], None, std::iter::empty())
            .expect("defaults")
            .with("database_url", &self.database_urls[service])
            .with("database_connections", "10")
            .with("retry_pause_ms", self.retry_pause_ms.to_string())
            .with("task_timeout_ms", self.task_timeout_ms.to_string())
            // Nothing listens there: these services have no routes of their own.
            .with("auth_url", "http://127.0.0.1:9")
            .with("client_secret", "test")
    }
}

impl Node {
    fn surroundings(&self) -> Surroundings {
        let bus = Arc::clone(&self.bus);
        Surroundings { bus, clock: Clock::wall(), transport: Transport::default(), stop: self.stop.clone() }
    }

    /// A service that writes and reads, but neither relays nor consumes nor listens.
    pub async fn build(&self, plan: &Plan, service: &'static str) -> App {
        let (service, settings) = (tally::service(service, Faults::default()), plan.settings(service));
        lifecycle::build(service, settings, &self.surroundings()).await.expect("the service is built")
    }

    pub fn app(&self, service: &str) -> App {
        let running = self.running.iter().find(|running| running.app.name() == service);
        running.expect("a service of this node").app.clone()
    }

    /// Ends its services in order.
    pub async fn stop(mut self) {
        self.stop.cancel();
        for running in std::mem::take(&mut self.running) {
            running.stop().await;
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl World {
    pub async fn local() -> Self {
        let world = Self::new(None).await;
        let bus = world.plan.connect();
        Self { local: Some(bus), ..world }
    }

    pub async fn rabbit() -> Self {
        Self::on_broker(shared_rabbit().await.expect("a broker")).await
    }

    /// On a virtual host of its own in this broker.
    pub async fn on_broker(broker: &RabbitBroker) -> Self {
        let name = format!("t-{}", new_uuid());
        broker.add_vhost(&name).await.expect("a virtual host");
        let world = Self::new(Some(broker.amqp_url(&name))).await;
        Self { vhost: Some((broker.clone(), name)), ..world }
    }

    async fn new(amqp_url: Option<String>) -> Self {
        let (mut database_urls, mut pools) = (BTreeMap::new(), BTreeMap::new());
        for name in ALL {
            let service = tally::service(name, Faults::default());
            let database =
                TestDatabase::create(service.name, service.migrations).await.expect("a database of its own");
            database_urls.insert(name.to_owned(), database.app_url);
            pools.insert(name, PgPool::connect_lazy(&database.superuser_url).expect("a URL"));
        }
        let faults = CONSUMERS.into_iter().map(|name| (name, Faults::default())).collect();
        Self {
            plan: Plan { amqp_url, database_urls, retry_pause_ms: 2, task_timeout_ms: 600_000, old: false },
            faults,
            pools,
            local: None,
            vhost: None,
        }
    }

    pub fn is_local(&self) -> bool {
        self.local.is_some()
    }

    /// Starts a process of these services; on RabbitMQ it has a connection of its own.
    pub async fn start(&self, services: &[&'static str]) -> Node {
        match &self.local {
            Some(bus) => self.plan.start_on(Arc::clone(bus), services, &self.faults).await,
            None => self.plan.start(services, &self.faults).await,
        }
    }

    /// Starts a process of one service at an address that is known beforehand.
    pub async fn start_at(&self, listener: TcpListener, service: &'static str) -> Node {
        let mut node = Node { bus: self.plan.connect(), running: Vec::new(), stop: CancellationToken::new() };
        self.plan.serve(&mut node, service, &self.faults, listener).await;
        node
    }

    /// A database, past its service and as its superuser.
    pub fn db(&self, service: &str) -> &PgPool {
        &self.pools[service]
    }

    /// In which order a consumer has reacted to the events of a stream.
    pub async fn effects(&self, service: &str, counter: CounterId) -> Vec<i64> {
        let statement = "select n from effects where stream = $1 order by position";
        sqlx::query_scalar(statement)
            .bind(counter.to_string())
            .fetch_all(self.db(service))
            .await
            .expect("effects")
    }

    pub async fn count_effects(&self, service: &str) -> i64 {
        sqlx::query_scalar("select count(*) from effects").fetch_one(self.db(service)).await.expect("effects")
    }

    /// Waits until both consumers have exactly these effects, in this order.
    pub async fn until_effects(&self, counter: CounterId, expected: &[i64]) {
        for service in CONSUMERS {
            self.until_effects_of(service, counter, expected).await;
        }
    }

    pub async fn until_effects_of(&self, service: &str, counter: CounterId, expected: &[i64]) {
        let what = format!("{service} has the effects {expected:?}");
        let seen = until(&what, || self.effects(service, counter), |seen| seen.len() >= expected.len()).await;
        assert_eq!(seen, expected, "{service} has reacted to something twice or out of order");
    }

    pub async fn dead_letters(&self, service: &str) -> Vec<DeadLetter> {
        operate::dead_letters(self.db(service)).await.expect("dead letters")
    }

    /// Status and tries of each inbox row of a stream, in its order.
    pub async fn inbox(&self, service: &str, counter: CounterId) -> Vec<(String, i32)> {
        let statement = "select status, attempts from quenty.inbox where stream = $1 order by stream_version";
        sqlx::query_as(statement)
            .bind(counter.to_string())
            .fetch_all(self.db(service))
            .await
            .expect("an inbox")
    }

    pub async fn outbox(&self) -> i64 {
        sqlx::query_scalar("select count(*) from quenty.outbox")
            .fetch_one(self.db(tally::TALLY))
            .await
            .expect("an outbox")
    }

    /// The envelopes of a stream as the bus carried them, from the journal.
    pub async fn envelopes(&self, counter: CounterId) -> Vec<Envelope> {
        let (db, stream) = (self.db(tally::TALLY), counter.to_string());
        let entries = journal::entries(db, Scope::All, &stream, None).await.expect("a journal");
        let envelope = |entry: journal::Entry| Envelope {
            specversion: "1.0".to_owned(),
            id: entry.id,
            source: format!("/quenty/{}", tally::TALLY),
            dataschema: format!("/schemas/{}.json", entry.kind),
            kind: entry.kind,
            subject: entry.stream,
            time: entry.occurred_at,
            datacontenttype: "application/json".to_owned(),
            company_id: entry.company_id,
            actor: entry.actor,
            correlation_id: entry.correlation_id,
            causation_id: entry.causation_id,
            stream_version: entry.stream_version,
            traceparent: None,
            data: entry.data,
        };
        entries.into_iter().map(envelope).collect()
    }

    /// What lies in the broker's dead-letter queue; reading removes it. Nothing on the local bus.
    pub async fn broker_dead_letters(&self) -> Vec<Vec<u8>> {
        let Some(url) = &self.plan.amqp_url else { return Vec::new() };
        let connection =
            Connection::connect(url, ConnectionProperties::default()).await.expect("a connection");
        let channel = connection.create_channel().await.expect("a channel");
        let (mut found, options) = (Vec::new(), BasicGetOptions { no_ack: true });
        while let Some(message) =
            channel.basic_get("quenty.dead".into(), options).await.expect("the dead-letter queue")
        {
            found.push(message.delivery.data);
        }
        found
    }

    /// The end of every test: nothing has given up, nothing is under way, the journals are whole.
    pub async fn finish(self, nodes: impl IntoIterator<Item = Node>) {
        until("the outbox is empty", || self.outbox(), |left| *left == 0).await;
        for service in [LEDGER, MIRROR] {
            assert_eq!(self.dead_letters(service).await.len(), 0, "dead letters of {service}");
        }
        assert!(self.broker_dead_letters().await.is_empty(), "the broker has dead letters");
        for service in ALL {
            let verification = journal::verify(self.db(service)).await.expect("a journal");
            assert!(verification.findings.is_empty(), "{service}: {:?}", verification.findings);
        }
        let stopped = futures_util::future::join_all(nodes.into_iter().map(Node::stop));
        tokio::time::timeout(Duration::from_secs(8), stopped).await.expect("services end promptly");
        if let Some((broker, name)) = &self.vhost {
            broker.remove_vhost(name).await.expect("the virtual host goes");
        }
    }
}
