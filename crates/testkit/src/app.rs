//! One real service on a real database, for its own tests: real HTTP, real journal, the local bus.

use std::sync::Arc;

use http::Method;
use jiff::Timestamp;
use quenty_kernel::{
    Actor, Clock, Envelope, Event, Scope,
    id::{CompanyId, TypedId, UserId, new_uuid},
};
use quenty_platform::{
    App, Service,
    bus::{Bus, Topology, local::LocalBus},
    client::Transport,
    journal::{self, Entry},
    lifecycle::{self, Running, Surroundings},
    operate,
    revocations::Revocation,
    settings::{CHASSIS, Settings},
    token::Realm,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{database::TestDatabase, http::Call, keys, wait::eventually};

/// How a test wants its service.
#[derive(Default)]
pub struct TestOptions {
    /// Settings beside the chassis's defaults; `{base_url}` in a value is the service's own address.
    pub settings: Vec<(&'static str, String)>,
    /// Business time stands still here until [`TestApp::advance_to`].
    pub starts_at: Option<Timestamp>,
}

/// A running service that one test owns.
pub struct TestApp {
    running: Option<Running>,
    pub app: App,
    pub database: TestDatabase,
    pub base_url: String,
    transport: Transport,
    bus: Arc<LocalBus>,
    clock: Clock,
    revoked: keys::Revoked,
    stop: CancellationToken,
}

impl TestApp {
    /// Starts the service with default settings and the wall clock.
    pub async fn start(service: Service) -> Self {
        Self::start_with(service, TestOptions::default()).await
    }

    pub async fn start_with(service: Service, options: TestOptions) -> Self {
        let database =
            TestDatabase::create(service.name, service.migrations).await.expect("a database for this test");
        Self::start_on(service, options, database).await
    }

    /// Starts the service on a database that exists: a second replica, or a restart.
    pub async fn start_on(service: Service, options: TestOptions, database: TestDatabase) -> Self {
        let stop = CancellationToken::new();
        let revoked = keys::Revoked::default();
        let auth_url = serve_keys(Arc::clone(&revoked), stop.clone()).await;
        let clock = options.starts_at.map_or_else(Clock::wall, Clock::simulated);
        let bus = Arc::new(LocalBus::new(Topology::of([&service])));
        let mut settings = Settings::load(&[CHASSIS, service.settings], None, std::iter::empty())
            .expect("defaults")
            // The tests' server speaks no TLS, whatever authority a test names for others.
            .with("database_url", format!("{}?sslmode=disable", database.app_url))
            .with("database_connections", "12")
            .with("auth_url", auth_url)
            .with("client_secret", "test");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let by_tls = options.settings.iter().any(|(key, _)| *key == "service_ca_file");
        let scheme = if by_tls { "https" } else { "http" };
        let own_url = format!("{scheme}://{}", listener.local_addr().expect("a bound address"));
        for (key, value) in options.settings {
            settings = settings.with(key, value.replace("{base_url}", &own_url));
        }
        let transport = Transport::from_settings(&settings).expect("files of certificates");
        let surroundings = Surroundings {
            bus: Arc::clone(&bus) as Arc<dyn Bus>,
            clock: clock.clone(),
            transport: transport.clone(),
            stop: stop.clone(),
        };
        let running =
            lifecycle::serve(service, settings, &surroundings, listener).await.expect("the service starts");
        let (app, base_url) = (running.app.clone(), own_url);
        let started =
            Self { running: Some(running), app, database, base_url, transport, bus, clock, revoked, stop };
        eventually("the service is ready", || async {
            (started.get("/health").send().await.status() == 200).then_some(())
        })
        .await;
        started
    }

    pub fn call(&self, method: Method, path: &str) -> Call {
        Call::new(self.transport.clone(), method, format!("{}{path}", self.base_url))
    }
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }
    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }
    pub fn put(&self, path: &str) -> Call {
        self.call(Method::PUT, path)
    }
    pub fn patch(&self, path: &str) -> Call {
        self.call(Method::PATCH, path)
    }
    pub fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    /// A token of a new person.
    #[must_use]
    pub fn token(&self, realm: Realm, company: Option<CompanyId>, permissions: &[&str]) -> String {
        self.token_of(UserId::new(), realm, company, permissions)
    }
    #[must_use]
    pub fn token_of(
        &self,
        user: UserId,
        realm: Realm,
        company: Option<CompanyId>,
        permissions: &[&str],
    ) -> String {
        keys::sign(&keys::claims(realm, user, company, permissions))
    }

    /// Revokes tokens, as Auth would.
    pub fn revoke(&self, revocation: Revocation) {
        self.revoked.lock().expect("nobody panicked").push(revocation);
    }

    /// Delivers a foreign event through the bus, as its publisher would. Panics unless its reaction has succeeded: what is
    /// to wait or to fail is for [`TestApp::deliver`].
    pub async fn hear<E: Event>(
        &self,
        stream: impl TypedId,
        company: Option<CompanyId>,
        version: i64,
        event: &E,
    ) {
        let envelope = self.envelope(stream, company, version, event);
        let (status, error) = self.deliver(&envelope).await;
        assert_eq!(status, "done", "{}: {}", E::TYPE, error.unwrap_or_default());
    }

    #[must_use]
    pub fn envelope<E: Event>(
        &self,
        stream: impl TypedId,
        company: Option<CompanyId>,
        version: i64,
        event: &E,
    ) -> Envelope {
        let publisher = E::TYPE.split('.').nth(1).expect("quenty.<service>.…");
        Envelope {
            specversion: "1.0".to_owned(),
            id: new_uuid(),
            source: format!("/quenty/{publisher}"),
            kind: E::TYPE.to_owned(),
            subject: stream.to_string(),
            time: self.clock.now(),
            dataschema: format!("/schemas/{}.json", E::TYPE),
            datacontenttype: "application/json".to_owned(),
            company_id: company,
            actor: Actor::System,
            correlation_id: new_uuid(),
            causation_id: None,
            stream_version: version,
            traceparent: None,
            data: serde_json::to_value(event).expect("an event is JSON"),
        }
    }

    /// Delivers an envelope, again if need be: at-least-once is the bus's promise. Returns the status that the inbox
    /// gives it, and the error of its reaction. Panics when nobody hears events of this type.
    pub async fn deliver(&self, envelope: &Envelope) -> (String, Option<String>) {
        eventually("the event is taken in", || async {
            (!self.bus.publish(std::slice::from_ref(envelope)).await.is_empty()).then_some(())
        })
        .await;
        sqlx::query_as("select status, error from quenty.inbox where event_id = $1")
            .bind(envelope.id)
            .fetch_optional(self.app.db())
            .await
            .expect("the inbox can be read")
            .unwrap_or_else(|| panic!("nobody hears {}", envelope.kind))
    }

    /// The journal of one aggregate.
    pub async fn facts(&self, stream: impl TypedId) -> Vec<Entry> {
        journal::entries(self.app.db(), Scope::All, &stream.to_string(), None)
            .await
            .expect("the journal can be read")
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves business time (see [`TestOptions::starts_at`]) and wakes what was waiting for it.
    pub fn advance_to(&self, to: Timestamp) {
        self.clock.advance_to(to);
        self.app.time_moved();
    }

    /// Waits until nothing is under way: outbox, waiting events and due tasks.
    pub async fn at_rest(&self) {
        eventually("the service comes to rest", || async {
            operate::backlog(self.app.db(), self.clock.now()).await.ok().filter(operate::Backlog::at_rest)
        })
        .await;
    }

    /// Panics if anything has given up, the journal's chains are broken, or an invariant is: silence is not success.
    pub async fn assert_sound(&self) {
        self.at_rest().await;
        let dead = operate::dead_letters(self.app.db()).await.expect("dead letters can be read");
        assert!(dead.is_empty(), "dead letters: {dead:#?}");
        let verification = journal::verify(self.app.db()).await.expect("the journal can be read");
        assert!(verification.findings.is_empty(), "{:#?}", verification.findings);
        for invariant in self.app.service().invariants {
            let violations =
                operate::violations(self.app.db(), invariant).await.expect("the tables can be read");
            assert_eq!(violations, 0, "{}: {}", invariant.name, invariant.about);
        }
    }

    /// Ends the service in order; the database stays, for [`TestApp::start_on`].
    pub async fn stop(mut self) -> TestDatabase {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
        self.stop.cancel();
        self.database.clone()
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn serve_keys(revoked: keys::Revoked, stop: CancellationToken) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound address");
    #[expect(clippy::disallowed_methods, reason = "ends with the test, by its token")]
    tokio::spawn(async move {
        axum::serve(listener, keys::router_with(revoked)).with_graceful_shutdown(stop.cancelled_owned()).await
    });
    format!("http://{address}")
}
