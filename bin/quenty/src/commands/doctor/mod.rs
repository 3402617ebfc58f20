//! `quenty doctor`: is everything well, and if not, what to do.

mod database;
mod processes;

use std::process::ExitCode;

use anyhow::Result;
use futures_util::{StreamExt, stream};
use quenty_kernel::clock::wall_now;
use serde::Serialize;

use self::database::Asked;
use super::{Databases, data_flag};
use crate::{embedded::business_time, output::say};

#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    databases: Databases,
    /// Walk every hash chain of every journal, too: this takes as long as the platform is old
    #[arg(long)]
    journal: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One check, and what to do when it fails.
#[derive(Debug, Serialize)]
struct Finding {
    service: &'static str,
    check: &'static str,
    ok: bool,
    detail: String,
}

/// What is well, or what is wrong and what to do.
type Verdict = std::result::Result<String, String>;

fn finding(service: &'static str, check: &'static str, outcome: Verdict) -> Finding {
    Finding { service, check, ok: outcome.is_ok(), detail: outcome.unwrap_or_else(|what| what) }
}

pub async fn run(args: Args) -> Result<ExitCode> {
    let databases = args.databases.each()?;
    let folder = args.databases.folder();
    let chosen: Vec<_> = databases.iter().map(|(service, _)| service).collect();
    let mut report = Report { as_json: args.json, findings: Vec::new() };
    let found = match &folder {
        Some(folder) => processes::of_folder(&chosen, folder).await,
        None => processes::of_settings(&chosen).await,
    };
    report.tell(found)?;
    let flag = data_flag(folder.as_deref());
    let business_now = folder.as_deref().map_or_else(wall_now, business_time);
    let asked = Asked { flag: &flag, business_now, in_folder: folder.is_some(), journal: args.journal };
    // Side by side: where PostgreSQL is away, each database is waited for.
    let mut examined = stream::iter(&databases)
        .map(|(service, opened)| async {
            match opened {
                Ok(pool) => database::examine(service, pool, &asked).await,
                Err(why) => vec![finding(service.name, "database", Err(format!("{why:#}")))],
            }
        })
        .buffered(databases.len().max(1));
    while let Some(found) = examined.next().await {
        report.tell(found)?;
    }
    report.end(args.journal, &flag)
}

/// Tells people what is found as it is found, and programs when all of it is.
struct Report {
    as_json: bool,
    findings: Vec<Finding>,
}

impl Report {
    fn tell(&mut self, found: Vec<Finding>) -> Result<()> {
        for finding in found.iter().filter(|_| !self.as_json) {
            let verdict = if finding.ok { "ok   " } else { "FAILS" };
            say!("{verdict} {:<10} {:<22} {}", finding.service, finding.check, finding.detail)?;
        }
        self.findings.extend(found);
        Ok(())
    }

    fn end(self, journal: bool, flag: &str) -> Result<ExitCode> {
        let well = self.findings.iter().all(|finding| finding.ok);
        if self.as_json {
            say!("{}", serde_json::to_string_pretty(&self.findings)?)?;
        } else {
            if !journal {
                say!("the journals were not walked: `quenty audit verify{flag}` does that, or --journal")?;
            }
            say!("{}", if well { "all is well" } else { "something needs you" })?;
        }
        Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
