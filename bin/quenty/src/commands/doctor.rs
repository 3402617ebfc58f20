//! `quenty doctor`: is everything well, and if not, what to do.

use std::{path::Path, process::ExitCode, time::Duration};

use anyhow::Result;
use quenty_kernel::clock::wall_now;
use quenty_platform::{Service, client::Transport, db, journal, operate};
use serde::Serialize;
use serde_json::Value;
use sqlx::PgPool;

use super::Databases;
use crate::{embedded::gateway_file, services};

const HEALTH_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    databases: Databases,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One check, and what to do when it fails.
#[derive(Debug, Serialize)]
pub struct Finding {
    pub service: &'static str,
    pub check: &'static str,
    pub ok: bool,
    pub detail: String,
}

pub async fn run(args: Args) -> Result<ExitCode> {
    let mut findings = Vec::new();
    for (service, pool) in args.databases.open()? {
        let (answers, bus) = process(&service, args.databases.data.as_deref()).await;
        findings.push(finding(service.name, "port", answers));
        findings.push(finding(service.name, "bus", bus));
        examine(&service, &pool, &mut findings).await;
    }
    let well = findings.iter().all(|finding| finding.ok);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&findings)?);
    } else {
        for finding in &findings {
            let verdict = if finding.ok { "ok   " } else { "FAILS" };
            println!("{verdict} {:<10} {:<22} {}", finding.service, finding.check, finding.detail);
        }
        println!("{}", if well { "all is well" } else { "something needs you" });
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

type Verdict = std::result::Result<String, String>;

fn finding(service: &'static str, check: &'static str, outcome: Verdict) -> Finding {
    Finding { service, check, ok: outcome.is_ok(), detail: outcome.unwrap_or_else(|what| what) }
}

/// Whether the service answers on its port, and whether it reaches the bus: asked of itself, or, in an
/// embedded platform, of the gateway that knows them all.
async fn process(service: &Service, data: Option<&Path>) -> (Verdict, Verdict) {
    let told = match data {
        Some(folder) => health_by_gateway(service.name, folder).await,
        None => health_by_setting(service.name).await,
    };
    match told {
        Err(why) => (Err(why), Err("unknown: the service does not answer".to_owned())),
        Ok(health) => {
            let bus_away = health["checks"].as_array().and_then(|checks| {
                checks.iter().find(|check| check["name"] == "bus" && check["ok"] == false)
            });
            let bus = match bus_away {
                Some(_) => Err("cannot be reached: start the broker; events wait in the outbox".to_owned()),
                None => Ok("reached".to_owned()),
            };
            (Ok(format!("answers, {}", health["status"].as_str().unwrap_or("unknown"))), bus)
        }
    }
}

async fn health_by_setting(service: &str) -> std::result::Result<Value, String> {
    let settings = services::settings(&[]).map_err(|error| error.to_string())?;
    let url = settings.require(&format!("{service}_url")).map_err(|error| error.to_string())?.to_owned();
    read_health(&format!("{url}/health/ready")).await
}

async fn health_by_gateway(service: &str, folder: &Path) -> std::result::Result<Value, String> {
    let file = gateway_file(folder);
    let url = std::fs::read_to_string(&file)
        .map_err(|_| "the platform of this folder does not run: `quenty up`".to_owned())?;
    let all = read_health(&format!("{}/health", url.trim())).await?;
    let own = all["services"].as_array().and_then(|list| list.iter().find(|told| told["service"] == service));
    own.cloned().ok_or_else(|| "the gateway does not know it".to_owned())
}

async fn read_health(url: &str) -> std::result::Result<Value, String> {
    let answer = Transport::default().get_json(url, HEALTH_TIMEOUT).await;
    answer.map_err(|error| format!("does not answer at {url} ({error}): start it, or correct its URL"))
}

/// Examines one service's database; never stops at the first finding.
pub async fn examine(service: &Service, pool: &PgPool, findings: &mut Vec<Finding>) {
    let mut tell = |check, outcome: Verdict| findings.push(finding(service.name, check, outcome));
    match db::is_migrated(pool, service.migrations).await {
        Ok(true) => tell("migrations", Ok("up to date".to_owned())),
        Ok(false) => return tell("migrations", Err("behind this binary: run `quenty migrate`".to_owned())),
        Err(error) => {
            return tell(
                "database",
                Err(format!("cannot be reached ({error}): start it, or correct its URL")),
            );
        }
    }
    match operate::backlog(pool, wall_now()).await {
        Ok(backlog) if backlog.inbox_dead + backlog.tasks_dead == 0 => {
            tell("dead letters", Ok("none".to_owned()))
        }
        Ok(backlog) => tell(
            "dead letters",
            Err(format!(
                "{} events, {} tasks: `quenty dead-letters` shows why",
                backlog.inbox_dead, backlog.tasks_dead
            )),
        ),
        Err(error) => tell("dead letters", Err(error.to_string())),
    }
    match operate::oldest_unsent(pool).await {
        Ok(None) => tell("outbox", Ok("empty".to_owned())),
        Ok(Some(since)) if wall_now().duration_since(since).as_secs() < 60 => {
            tell("outbox", Ok("flowing".to_owned()))
        }
        Ok(Some(since)) => {
            tell("outbox", Err(format!("an event waits since {since}: is the bus up, does a relay run?")))
        }
        Err(error) => tell("outbox", Err(error.to_string())),
    }
    match journal::verify(pool).await {
        Ok(outcome) if outcome.findings.is_empty() => {
            tell("journal", Ok(format!("{} entries, whole", outcome.entries)))
        }
        Ok(outcome) => tell(
            "journal",
            Err(format!(
                "{} findings: `quenty audit verify` lists them; restore from a backup and tell security",
                outcome.findings.len()
            )),
        ),
        Err(error) => tell("journal", Err(error.to_string())),
    }
    for invariant in service.invariants {
        match operate::violations(pool, invariant).await {
            Ok(0) => tell(invariant.name, Ok("holds".to_owned())),
            Ok(count) => tell(invariant.name, Err(format!("{count} rows break it: {}", invariant.about))),
            Err(error) => tell(invariant.name, Err(error.to_string())),
        }
    }
}
