//! Whether gateway, services and broker answer, and what they say of themselves.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use futures_util::future::join_all;
use quenty_platform::{
    Service,
    bus::rabbit::RabbitBus,
    client::Transport,
    discovery::Discovery,
    settings::{CHASSIS, Settings},
};
use serde::Deserialize;

use super::{Finding, Verdict, data_flag, finding};
use crate::{
    commands::certs,
    distributed::CERTIFICATES,
    embedded::{processes_file, running_at, servers_file},
    health::{self, Health},
    services,
};

const GATEWAY: &str = "gateway";
const BROKER: &str = "broker";
const PORT: &str = "port";

/// Of a platform in one process, whose gateway knows them all, or of one of many in one folder, each of which is asked.
pub(super) async fn of_folder(chosen: &[&Service], folder: &Path) -> Vec<Finding> {
    let told = match running_at(folder) {
        Ok(Some(url)) if processes_file(folder).exists() => {
            return match Many::read(folder) {
                Ok(many) => many.examine(chosen, &url).await,
                Err(why) => vec![finding(GATEWAY, "processes", Err(format!("{why:#}")))],
            };
        }
        Ok(Some(url)) => at_gateway(&url).await,
        Err(why) => Err(format!("{why:#}")),
        Ok(None) => {
            let flag = data_flag(Some(folder));
            Err(format!("the platform of {} does not run: `quenty up{flag}` starts it", folder.display()))
        }
    };
    let mut findings = vec![finding(GATEWAY, PORT, told.as_ref().map_err(Clone::clone).and_then(gateway))];
    for service in chosen {
        let own = told.as_ref().map_err(Clone::clone).and_then(|all| {
            let own = all.services.iter().find(|own| own.service.as_deref() == Some(service.name));
            own.ok_or_else(|| "the gateway does not know it: start the platform again".to_owned())
        });
        tell(service, None, own, &mut findings);
    }
    findings
}

/// The processes of `quenty up --distributed`, as its folder tells them.
struct Many {
    processes: BTreeMap<String, Process>,
    logs: PathBuf,
    /// With an operator's certificate, and where the broker is.
    settings: Settings,
    transport: Transport,
}

#[derive(Deserialize)]
struct Process {
    address: String,
    pid: i32,
}

#[derive(Deserialize)]
struct Servers {
    rabbitmq: String,
}

impl Many {
    fn read(folder: &Path) -> Result<Self> {
        let read = |file: PathBuf| {
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
        };
        let processes = serde_json::from_str(&read(processes_file(folder))?)?;
        let Servers { rabbitmq } = serde_json::from_str(&read(servers_file(folder))?)?;
        let shown = certs::settings(&folder.join(CERTIFICATES), "operator");
        let shown = shown.into_iter().map(|(name, value)| (name.to_owned(), value));
        let settings = Settings::load(&[CHASSIS], None, shown)?.with("bus_url", rabbitmq);
        let transport = Transport::from_settings(&settings)?;
        Ok(Self { processes, logs: folder.join("logs"), settings, transport })
    }

    async fn examine(&self, chosen: &[&Service], front: &str) -> Vec<Finding> {
        let own = chosen.iter().map(|service| self.ask(service.name, "/health/ready"));
        let (front, gateways, broker, own) = tokio::join!(
            at_gateway(front),
            self.ask(GATEWAY, "/health"),
            broker(&self.settings, "`quenty up` starts it again by itself"),
            join_all(own)
        );
        let of_gateway =
            |told: &Result<Health, String>| told.as_ref().map_err(Clone::clone).and_then(gateway);
        let mut findings = vec![finding(GATEWAY, PORT, of_gateway(&front))];
        for (name, told) in &gateways {
            findings.push(at(Some(name.as_str()), finding(GATEWAY, PORT, of_gateway(told))));
        }
        findings.push(finding(BROKER, "dead letters", broker));
        for (service, instances) in chosen.iter().zip(&own) {
            if instances.is_empty() {
                tell(service, None, Err("no process of it is known".to_owned()), &mut findings);
            }
            for (name, told) in instances {
                let name = (instances.len() > 1).then_some(name.as_str());
                tell(service, name, told.as_ref().map_err(Clone::clone), &mut findings);
            }
        }
        findings
    }

    /// Each process that serves this, such as `order-1` and `order-2`.
    async fn ask(&self, what: &str, path: &str) -> Vec<Told> {
        let serving = self.processes.iter().filter(|(name, _)| name.split('-').next() == Some(what));
        let told = serving.map(|(name, Process { address, pid })| async move {
            let url = format!("{address}{path}");
            let told = health::read(&self.transport, &url).await.map_err(|why| {
                let log = self.logs.join(format!("{name}.log"));
                // The folder tells of it until another one runs in its place.
                let next = if Path::new("/proc").join(pid.to_string()).exists() {
                    "kill it if it hangs, and it is started again"
                } else {
                    "it has ended, and is being started again"
                };
                format!("process {pid} does not answer at {url} ({why}): see {}; {next}", log.display())
            });
            (name.clone(), told)
        });
        join_all(told).await
    }
}

/// What an instance says of itself, or why it does not, and which it is.
type Told = (String, Result<Health, String>);

/// Of processes apart, each at the addresses that the settings name, or Consul.
pub(super) async fn of_settings(chosen: &[&Service]) -> Vec<Finding> {
    let settings = match services::settings() {
        Ok(settings) => settings,
        Err(why) => return vec![finding(GATEWAY, "settings", Err(format!("{why:#}")))],
    };
    let url = settings.get("public_url").unwrap_or_default();
    let transport = match Transport::from_settings(&settings) {
        Ok(transport) => transport,
        Err(why) => return vec![finding(GATEWAY, "settings", Err(why.to_string()))],
    };
    let discovery = Discovery::from_settings(&settings, &transport);
    let own = chosen.iter().map(|service| at_its_places(service, &discovery, &transport));
    let (told, broker, own) = tokio::join!(
        at_gateway(url),
        broker(&settings, "start it, or correct QUENTY_BUS_URL"),
        join_all(own)
    );
    let told = told.map_err(|why| format!("{why} (QUENTY_PUBLIC_URL)"));
    let mut findings = vec![
        finding(GATEWAY, PORT, told.as_ref().map_err(Clone::clone).and_then(gateway)),
        finding(BROKER, "dead letters", broker),
    ];
    for (service, own) in chosen.iter().zip(&own) {
        match own {
            Err(why) => tell(service, None, Err(why.clone()), &mut findings),
            Ok(instances) => {
                for (url, told) in instances {
                    let url = (instances.len() > 1).then_some(url.as_str());
                    tell(service, url, told.as_ref().map_err(Clone::clone), &mut findings);
                }
            }
        }
    }
    findings
}

async fn at_gateway(url: &str) -> Result<Health, String> {
    let url = format!("{}/health", url.trim_end_matches('/'));
    let told = health::read(&Transport::default(), &url).await;
    told.map_err(|why| format!("does not answer at {url} ({why}): start it, or correct its address"))
}

fn gateway(health: &Health) -> Verdict {
    if health.is_ready() {
        return Ok(format!("answers, {}", health.status()));
    }
    Err(format!("answers, but cannot reach all services: {}", health.missing()))
}

/// Where the instances of a service are said to be, and by which variable.
struct Places {
    urls: Vec<String>,
    variable: String,
}

impl Places {
    /// As processes find each other: as Consul tells, once it tells of any that is well, else as the settings say.
    async fn of(service: &Service, discovery: &Discovery) -> Result<Self, String> {
        let name = service.name;
        let mut variable = format!("QUENTY_{}_URL", name.to_uppercase());
        match discovery.registered(name).await {
            None => {}
            Some(Ok(urls)) if urls.is_empty() => variable.push_str(", for Consul tells of none that is well"),
            Some(Ok(urls)) => {
                return Ok(Self { urls, variable: "QUENTY_ADVERTISED_HOST of that process".to_owned() });
            }
            Some(Err(why)) => variable.push_str(&format!(", for Consul does not say where it is ({why})")),
        }
        let urls = discovery.instances(name).map(|instances| instances.borrow().clone()).unwrap_or_default();
        if urls.is_empty() {
            return Err(format!("nobody says where it is: set {variable}"));
        }
        Ok(Self { urls, variable })
    }
}

async fn at_its_places(
    service: &Service,
    discovery: &Discovery,
    transport: &Transport,
) -> Result<Vec<Told>, String> {
    let Places { urls, variable } = Places::of(service, discovery).await?;
    let told = urls.into_iter().map(|url| async {
        let told = at_its_url(service, &url, &variable, transport).await;
        (url, told)
    });
    Ok(join_all(told).await)
}

async fn at_its_url(
    service: &Service,
    url: &str,
    variable: &str,
    transport: &Transport,
) -> Result<Health, String> {
    let url = format!("{url}/health/ready");
    let told = health::read(transport, &url).await.map_err(|why| {
        format!(
            "does not answer at {url} ({why}): start it (`quenty serve {}`), or correct {variable}",
            service.name
        )
    })?;
    match &told.service {
        Some(other) if other != service.name => Err(format!("at {url} answers {other}: correct {variable}")),
        _ => Ok(told),
    }
}

/// Says which instance was asked, where there are several.
fn at(instance: Option<&str>, mut found: Finding) -> Finding {
    if let Some(instance) = instance {
        found.detail = format!("{instance}: {}", found.detail);
    }
    found
}

/// What a service says of itself, as a finding for its port and one for its bus.
fn tell(
    service: &Service,
    instance: Option<&str>,
    told: Result<&Health, String>,
    findings: &mut Vec<Finding>,
) {
    let (port, bus) = match told {
        Err(why) => (Err(why), Err("unknown, since the service does not answer".to_owned())),
        Ok(health) => (readiness(health), bus(health)),
    };
    for (check, outcome) in [(PORT, port), ("bus", bus)] {
        findings.push(at(instance, finding(service.name, check, outcome)));
    }
}

fn readiness(health: &Health) -> Verdict {
    if health.is_ready() {
        return Ok(format!("answers, {}", health.status()));
    }
    if health.missing().is_empty() {
        return Err(format!("is {}: start it, or see its log", health.status()));
    }
    Err(format!(
        "answers, but is not ready: {}. Start what is away, or correct its URL; the service goes on by itself",
        health.missing()
    ))
}

fn bus(health: &Health) -> Verdict {
    match health.check("bus") {
        Some(check) if check.ok => Ok("reached".to_owned()),
        Some(_) => {
            let what = "cannot be reached, or is short of memory or disk: start the broker, or make room there; events wait in the \
                        outbox until then";
            Err(what.to_owned())
        }
        None => Err("unknown: the service does not tell".to_owned()),
    }
}

/// What the broker keeps because no consumer could take it; `away` says what to do when it cannot be asked.
async fn broker(settings: &Settings, away: &str) -> Verdict {
    let bus = RabbitBus::from_settings(settings, services::topology()).map_err(|error| error.to_string())?;
    match bus.dead_letters().await {
        Ok(0) => Ok("none".to_owned()),
        Ok(count) => Err(format!(
            "{count} messages in the queue quenty.dead, which no service could read: look at them in RabbitMQ, correct what sent them, \
             then purge the queue; `quenty replay` or the journals have what was lost"
        )),
        Err(error) => Err(format!("{error}: {away}")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::{Router, routing::get};
    use serde_json::json;
    use tokio::net::TcpListener;

    use super::*;

    async fn of(pairs: &[(&str, &str)]) -> Places {
        let settings = Settings::load(&[CHASSIS], None, std::iter::empty()).unwrap();
        let settings = pairs.iter().fold(settings, |settings, (key, value)| settings.with(key, *value));
        let discovery = Discovery::from_settings(&settings, &Transport::default());
        Places::of(&services::find("order").unwrap(), &discovery).await.unwrap()
    }

    #[tokio::test]
    async fn who_has_ended_is_not_to_be_killed() {
        let process = |pid| Process { address: "http://127.0.0.1:9".to_owned(), pid };
        let hangs = process(i32::try_from(std::process::id()).unwrap());
        let many = Many {
            // No system has so many processes.
            processes: [("order-1".to_owned(), hangs), ("order-2".to_owned(), process(i32::MAX))].into(),
            logs: PathBuf::from("logs"),
            settings: Settings::load(&[CHASSIS], None, std::iter::empty()).unwrap(),
            transport: Transport::default(),
        };
        let told = many.ask("order", "/health/ready").await;
        let why: Vec<String> = told.into_iter().map(|(_, told)| told.unwrap_err()).collect();
        assert!(why[0].ends_with("kill it if it hangs, and it is started again"), "{why:?}");
        assert!(why[1].ends_with("it has ended, and is being started again"), "{why:?}");
    }

    #[tokio::test]
    async fn each_of_several_addresses_is_one() {
        assert_eq!(of(&[]).await.urls, ["http://127.0.0.1:8002"]);
        let several = ("order_url", "http://127.0.0.1:8002, http://b:8002/");
        assert_eq!(of(&[several]).await.urls, ["http://127.0.0.1:8002", "http://b:8002"]);
        let away = of(&[several, ("consul_url", "http://127.0.0.1:9")]).await;
        assert_eq!(away.urls.len(), 2);
        assert!(away.variable.contains("Consul does not say where it is"), "{}", away.variable);
    }

    #[tokio::test]
    async fn where_consul_tells_it_is_believed_as_by_all_processes() {
        let told = Arc::new(Mutex::new(json!([{"Service": {"Address": "10.0.0.7", "Port": 8002}}])));
        let answer = Arc::clone(&told);
        let well = move || std::future::ready(answer.lock().unwrap().to_string());
        let router = Router::new().route("/v1/health/service/quenty-order", get(well));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asking = async {
            let set = [("consul_url", url.as_str()), ("order_url", "http://b:8002")];
            assert_eq!(of(&set).await.urls, ["http://10.0.0.7:8002"]);
            *told.lock().unwrap() = json!([]);
            let nobody = of(&set).await;
            assert_eq!(nobody.urls, ["http://b:8002"]);
            assert!(nobody.variable.contains("Consul tells of none"), "{}", nobody.variable);
        };
        tokio::select! {
            () = asking => {}
            ended = async { axum::serve(listener, router).await } => panic!("{ended:?}"),
        }
    }
}
