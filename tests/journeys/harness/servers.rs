//! The database server and the broker of a cluster: those that all tests share, or its own where a test
//! restarts them.

use std::{collections::BTreeMap, path::Path};

use quenty_kernel::id::new_uuid;
use quenty_platform::{
    db,
    embedded_postgres::{EmbeddedPostgres, Options},
};
use quenty_testkit::{
    database::TestDatabase, ports::free_ports, rabbit::RabbitServer, shared::shared_rabbit,
};

use super::{
    process::{self, Environment},
    services,
    stage::Vhost,
};

/// Passwords of roles that live as long as one test, on loopback.
const PASSWORD: &str = "for-tests-on-loopback";

/// A PostgreSQL of the test's own, with `fsync`, that it may restart.
pub struct OwnPostgres {
    options: Options,
    server: Option<EmbeddedPostgres>,
}

impl OwnPostgres {
    pub async fn start(folder: &Path) -> Self {
        let [port] = free_ports().expect("a free port");
        let options = Options { port: Some(port), ..Options::new(folder.join("postgres")) };
        let server = EmbeddedPostgres::start(options.clone()).await.expect("PostgreSQL starts");
        Self { options, server: Some(server) }
    }

    pub async fn restart(&mut self) {
        self.stop().await;
        self.server =
            Some(EmbeddedPostgres::start(self.options.clone()).await.expect("PostgreSQL starts again"));
    }

    pub async fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await.expect("PostgreSQL stops");
        }
    }

    /// Makes every service's database as an operator does, by `quenty migrate --create`.
    pub async fn migrate(&self) -> BTreeMap<String, String> {
        let server = self.server.as_ref().expect("it runs");
        let superuser = server.superuser_url("postgres");
        let (_, host) = superuser.split_once('@').expect("credentials in the URL");
        let host = host.trim_end_matches("/postgres");
        let mut environment = Environment::from([("QUENTY_SUPERUSER_URL".to_owned(), superuser.clone())]);
        let mut urls = BTreeMap::new();
        for service in services() {
            let url = |role: String| format!("postgres://{role}:{PASSWORD}@{host}/{}", service.database);
            let variable = format!("QUENTY_{}_DATABASE", service.name.to_uppercase());
            environment.insert(format!("{variable}_OWNER_URL"), url(db::owner_role(service.database)));
            environment.insert(format!("{variable}_URL"), url(db::app_role(service.database)));
            urls.insert(service.name.to_owned(), url(db::app_role(service.database)));
        }
        let migrated = process::run(&["migrate", "--create"], &environment).await;
        assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
        urls
    }
}

/// A migrated database for each service, on the shared server.
pub async fn shared_databases() -> BTreeMap<String, String> {
    let mut urls = BTreeMap::new();
    for service in services() {
        let database =
            TestDatabase::create(service.name, service.migrations).await.expect("a database for this test");
        urls.insert(service.name.to_owned(), database.app_url);
    }
    urls
}

/// A virtual host of the shared broker.
pub async fn shared_vhost() -> Vhost {
    let broker = shared_rabbit().await.expect("the shared broker").clone();
    let name = format!("journey-{}", new_uuid().simple());
    broker.add_vhost(&name).await.expect("a virtual host");
    Vhost { broker, name }
}

/// The only virtual host of a broker of the test's own.
pub fn own_vhost(server: &RabbitServer) -> Vhost {
    Vhost { broker: server.broker().clone(), name: "/".to_owned() }
}
