//! Whether gateway, services and broker answer, and what they say of themselves.

use std::path::Path;

use futures_util::future::join_all;
use quenty_platform::{Service, bus::rabbit::RabbitBus, client::Transport, settings::Settings};

use super::{Finding, Verdict, data_flag, finding};
use crate::{
    embedded::running_at,
    health::{self, Health},
    services,
};

const GATEWAY: &str = "gateway";
const BROKER: &str = "broker";
const PORT: &str = "port";

/// Of an embedded platform, whose gateway knows them all.
pub(super) async fn of_folder(chosen: &[&Service], folder: &Path) -> Vec<Finding> {
    let told = match running_at(folder) {
        Some(url) => at_gateway(&url).await,
        None => {
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
        tell(service, own, &mut findings);
    }
    findings
}

/// Of processes apart, each at the address that the settings name.
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
    let own = chosen.iter().map(|service| at_its_url(service, &settings, &transport));
    let (told, broker, own) = tokio::join!(at_gateway(url), broker(&settings), join_all(own));
    let told = told.map_err(|why| format!("{why} (QUENTY_PUBLIC_URL)"));
    let mut findings = vec![
        finding(GATEWAY, PORT, told.as_ref().map_err(Clone::clone).and_then(gateway)),
        finding(BROKER, "dead letters", broker),
    ];
    for (service, own) in chosen.iter().zip(&own) {
        tell(service, own.as_ref().map_err(Clone::clone), &mut findings);
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

async fn at_its_url(service: &Service, settings: &Settings, transport: &Transport) -> Result<Health, String> {
    let key = format!("{}_url", service.name);
    let url = settings.require(&key).map_err(|error| error.to_string())?;
    let url = format!("{}/health/ready", url.trim_end_matches('/'));
    let variable = format!("QUENTY_{}", key.to_uppercase());
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

/// What a service says of itself, as a finding for its port and one for its bus.
fn tell(service: &Service, told: Result<&Health, String>, findings: &mut Vec<Finding>) {
    let (port, bus) = match told {
        Err(why) => (Err(why), Err("unknown, since the service does not answer".to_owned())),
        Ok(health) => (readiness(health), bus(health)),
    };
    findings.push(finding(service.name, PORT, port));
    findings.push(finding(service.name, "bus", bus));
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
            Err("cannot be reached: start the broker; events wait in the outbox until then".to_owned())
        }
        None => Err("unknown: the service does not tell".to_owned()),
    }
}

/// What the broker keeps because no consumer could take it.
async fn broker(settings: &Settings) -> Verdict {
    let bus = RabbitBus::from_settings(settings, services::topology()).map_err(|error| error.to_string())?;
    match bus.dead_letters().await {
        Ok(0) => Ok("none".to_owned()),
        Ok(count) => Err(format!(
            "{count} messages in the queue quenty.dead, which no service could read: look at them in RabbitMQ, correct what sent them, \
             then purge the queue; `quenty replay` or the journals have what was lost"
        )),
        Err(error) => Err(format!("{error}: start it, or correct QUENTY_BUS_URL")),
    }
}
