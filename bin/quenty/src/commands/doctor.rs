//! `quenty doctor`: is everything well, and if not, what to do.

use std::process::ExitCode;

use anyhow::Result;
use quenty_kernel::clock::wall_now;
use quenty_platform::{Service, db, journal, operate};
use serde::Serialize;
use sqlx::PgPool;

use super::Databases;

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
        examine(&service, &pool, &mut findings).await;
    }
    let well = findings.iter().all(|finding| finding.ok);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&findings)?);
    } else {
        for finding in &findings {
            println!(
                "{} {:<10} {:<22} {}",
                if finding.ok { "ok   " } else { "FAILS" },
                finding.service,
                finding.check,
                finding.detail
            );
        }
        println!("{}", if well { "all is well" } else { "something needs you" });
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Examines one service's database; never stops at the first finding.
pub async fn examine(service: &Service, pool: &PgPool, findings: &mut Vec<Finding>) {
    let name = service.name;
    let mut tell = |check, outcome: std::result::Result<String, String>| {
        let ok = outcome.is_ok();
        findings.push(Finding { service: name, check, ok, detail: outcome.unwrap_or_else(|what| what) });
    };
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
