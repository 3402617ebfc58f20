//! A distributed platform: a process per service and one for the gateway, configured by the environment alone,
//! joined by RabbitMQ.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use nix::sys::signal::Signal;
use quenty_testkit::{ports::many_free_ports, rabbit::RabbitServer, scratch_dir::ScratchDir};
use serde_json::json;

use super::{
    process::{self, Environment, Process},
    servers::{OwnPostgres, own_vhost, shared_databases, shared_vhost},
    services,
    stage::{Stage, Vhost},
    until,
    up::text,
};

pub const GATEWAY: &str = "gateway";
const START_LIMIT: Duration = Duration::from_secs(60);
/// RabbitMQ writes its register of quorum queues lazily: one declared just before a SIGKILL does not come back.
const QUEUES_ARE_WRITTEN: Duration = Duration::from_secs(5);

/// Which servers a cluster has to itself.
#[derive(Debug, Default, Clone, Copy)]
pub struct Own {
    pub rabbit: bool,
    pub postgres: bool,
    /// Where its processes send their traces.
    pub collector: Option<SocketAddr>,
    /// Its processes have certificates, and speak TLS with each other only.
    pub certificates: bool,
}

struct Member {
    environment: Environment,
    log: PathBuf,
    process: Option<Process>,
}

pub struct Cluster {
    pub stage: Stage,
    members: BTreeMap<String, Member>,
    pub rabbit: Option<RabbitServer>,
    pub postgres: Option<OwnPostgres>,
    declared_at: Instant,
    certificates: Option<PathBuf>,
    // Last: processes and servers end before their folder goes.
    _folder: ScratchDir,
}

impl Cluster {
    /// On the servers that all tests share.
    pub async fn start() -> Self {
        Self::start_with(Own::default()).await
    }

    pub async fn start_with(own: Own) -> Self {
        let folder = ScratchDir::new("quenty-cluster").expect("a folder");
        let (rabbit, vhost) = if own.rabbit {
            let server = RabbitServer::start(&folder.path().join("rabbit")).await.expect("RabbitMQ starts");
            let vhost = own_vhost(&server);
            (Some(server), vhost)
        } else {
            (None, shared_vhost().await)
        };
        let (postgres, databases) = if own.postgres {
            let server = OwnPostgres::start(folder.path()).await;
            let databases = server.migrate().await;
            (Some(server), databases)
        } else {
            (None, shared_databases().await)
        };
        let names: Vec<_> = services().iter().map(|service| service.name).chain([GATEWAY]).collect();
        let ports = many_free_ports(names.len()).expect("free ports");
        let ports: BTreeMap<_, _> = names.into_iter().zip(ports).collect();
        let mail_dir = folder.path().join("mail");
        std::fs::create_dir(&mail_dir).expect("a folder for mails");
        let stage = Stage {
            gateway: format!("http://127.0.0.1:{}", ports[GATEWAY]),
            mail_dir,
            admin_email: "admin@quenty.example".to_owned(),
            admin_password: "correct-horse-battery-staple-9".to_owned(),
            databases,
            vhost: Some(vhost),
            simulated_time: None,
        };
        let certificates = own.certificates.then(|| folder.path().join("certificates"));
        if let Some(folder) = &certificates {
            let made = process::run(&["certs", "init", "--out", text(folder)], &Environment::new()).await;
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
        let mut members = members(&stage, &ports, folder.path(), certificates.as_deref());
        if let Some(collector) = own.collector {
            // The name that any program on a machine with a collector finds.
            let (name, url) = ("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), format!("http://{collector}"));
            members
                .values_mut()
                .for_each(|member| drop(member.environment.insert(name.clone(), url.clone())));
        }
        declare_topology(&members).await;
        let mut cluster = Self {
            stage,
            members,
            rabbit,
            postgres,
            declared_at: Instant::now(),
            certificates,
            _folder: folder,
        };
        for name in cluster.names() {
            cluster.launch(&name);
        }
        cluster.is_ready().await;
        cluster
    }

    /// Where one listens.
    pub fn url(&self, name: &str) -> String {
        let is_closed = self.certificates.is_some() && name != GATEWAY;
        let scheme = if is_closed { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}", self.environment(name)["QUENTY_PORT"])
    }

    /// What an operator shows to the processes; nothing where they ask nobody.
    pub fn certificate(&self) -> Environment {
        self.certificates.as_deref().map(|folder| certificate(folder, "operator")).unwrap_or_default()
    }

    /// Gateway and services.
    pub fn names(&self) -> Vec<String> {
        self.members.keys().cloned().collect()
    }

    /// What one is configured by.
    pub fn environment(&self, name: &str) -> &Environment {
        &self.members[name].environment
    }

    fn process(&self, name: &str) -> &Process {
        self.members[name].process.as_ref().expect("a process that runs")
    }

    /// Starts one again; it is ready some time later.
    pub fn launch(&mut self, name: &str) {
        let member = self.members.get_mut(name).expect("a member of the platform");
        let process = Process::start(name, &["serve", name], &member.environment, &member.log);
        member.process = Some(process);
    }

    /// SIGKILL.
    pub async fn kill(&mut self, name: &str) {
        let process = self.members.get_mut(name).and_then(|member| member.process.take());
        process.expect("a process that runs").kill().await;
    }

    /// The process answers nobody and keeps its connections.
    pub fn pause(&self, name: &str) {
        self.process(name).signal(Signal::SIGSTOP);
    }

    pub fn resume(&self, name: &str) {
        self.process(name).signal(Signal::SIGCONT);
    }

    /// SIGKILL to the broker.
    pub async fn kill_rabbit(&mut self) {
        tokio::time::sleep(QUEUES_ARE_WRITTEN.saturating_sub(self.declared_at.elapsed())).await;
        self.rabbit.as_mut().expect("a broker of its own").kill().await.expect("RabbitMQ is killed");
    }

    pub async fn start_rabbit(&mut self) {
        self.rabbit.as_mut().expect("a broker of its own").restart().await.expect("RabbitMQ starts again");
    }

    /// Waits until the gateway says that everyone is ready.
    pub async fn is_ready(&self) {
        let anyone = self.stage.anyone();
        until(START_LIMIT, "the cluster is ready", async || {
            for (name, member) in &self.members {
                let ended = member.process.as_ref().and_then(Process::exit_status);
                assert!(ended.is_none(), "{name} ended: {ended:?}\n{}", self.process(name).tail());
            }
            let health = anyone.call(http::Method::GET, "/health").try_send().await.ok()?;
            (health.status() == 200).then_some(())
        })
        .await;
    }

    /// Asks every process to end, and sees that it does so in order.
    pub async fn stop(mut self) {
        let running: Vec<Process> = self.members.values_mut().filter_map(|m| m.process.take()).collect();
        running.iter().for_each(|process| process.signal(Signal::SIGTERM));
        for process in running {
            let status = process.ended().await;
            assert!(status.success(), "{status}\n{}", process.tail());
        }
        if let (None, Some(Vhost { broker, name })) = (&self.rabbit, &self.stage.vhost) {
            broker.remove_vhost(name).await.expect("the virtual host goes");
        }
    }
}

/// Before anyone publishes, as a rollout does it.
async fn declare_topology(members: &BTreeMap<String, Member>) {
    let applied = process::run(&["topology", "apply"], &members["order"].environment).await;
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
}

/// Which certificate is one's own.
pub fn certificate(folder: &Path, name: &str) -> Environment {
    let file = |name: String| text(&folder.join(name)).to_owned();
    Environment::from([
        ("QUENTY_SERVICE_CA_FILE".to_owned(), file("ca.pem".to_owned())),
        ("QUENTY_SERVICE_CERTIFICATE_FILE".to_owned(), file(format!("{name}.pem"))),
        ("QUENTY_SERVICE_KEY_FILE".to_owned(), file(format!("{name}.key"))),
    ])
}

/// Everyone is told what they need, and nobody the secrets of another.
fn members(
    stage: &Stage,
    ports: &BTreeMap<&str, u16>,
    folder: &Path,
    certificates: Option<&Path>,
) -> BTreeMap<String, Member> {
    let mut common = Environment::from([
        (
            "QUENTY_BUS_URL".to_owned(),
            stage.vhost.as_ref().map(|v| v.broker.amqp_url(&v.name)).unwrap_or_default(),
        ),
        ("QUENTY_RETRY_PAUSE_MS".to_owned(), "250".to_owned()),
        ("QUENTY_PUBLIC_URL".to_owned(), stage.gateway.clone()),
        ("QUENTY_MAIL_DIR".to_owned(), text(&stage.mail_dir).to_owned()),
        ("QUENTY_LOG".to_owned(), "info".to_owned()),
    ]);
    for service in services() {
        let scheme = if certificates.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://127.0.0.1:{}", ports[service.name]);
        common.insert(format!("QUENTY_{}_URL", service.name.to_uppercase()), url);
    }
    let secret = |service: &str| format!("the-secret-of-{service}-for-tests-on-loopback");
    let clients: serde_json::Map<_, _> =
        ports.keys().map(|name| ((*name).to_owned(), json!(secret(name)))).collect();
    let of_one = |name: &str| -> Environment {
        let mut own = common.clone();
        own.insert("QUENTY_PORT".to_owned(), ports[name].to_string());
        own.insert("QUENTY_CLIENT_SECRET".to_owned(), secret(name));
        own.extend(certificates.map(|folder| certificate(folder, name)).unwrap_or_default());
        if let Some(url) = stage.databases.get(name) {
            own.insert(format!("QUENTY_{}_DATABASE_URL", name.to_uppercase()), url.clone());
        }
        match name {
            "auth" => own.extend([
                ("QUENTY_KEY_ENCRYPTION_KEY".to_owned(), STANDARD.encode([7; 32])),
                ("QUENTY_SERVICE_CLIENTS".to_owned(), json!(clients).to_string()),
                ("QUENTY_STAFF_MFA".to_owned(), "optional".to_owned()),
                ("QUENTY_ADMIN_EMAIL".to_owned(), stage.admin_email.clone()),
                ("QUENTY_ADMIN_PASSWORD".to_owned(), stage.admin_password.clone()),
            ]),
            "shipping" => own.extend([("QUENTY_QUOTE_SIGNING_KEY".to_owned(), STANDARD.encode([8; 32]))]),
            "returns" => own
                .extend([("QUENTY_FILES_URL".to_owned(), format!("file://{}", text(&folder.join("files"))))]),
            _ => {}
        }
        own
    };
    ports
        .keys()
        .map(|name| {
            let log = folder.join(format!("{name}.log"));
            ((*name).to_owned(), Member { environment: of_one(name), log, process: None })
        })
        .collect()
}
