//! `quenty doctor`: is everything well, and if not, what to do.

mod database;
mod processes;

use std::process::ExitCode;

use anyhow::Result;
use futures_util::future::join_all;
use serde::Serialize;

use super::{Databases, data_flag};
use crate::output::say;

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
    let mut findings = match &folder {
        Some(folder) => processes::of_folder(&chosen, folder).await,
        None => processes::of_settings(&chosen).await,
    };
    let flag = data_flag(folder.as_deref());
    // Side by side: where PostgreSQL is away, each database is waited for.
    let examined = databases.iter().map(|(service, opened)| async {
        match opened {
            Ok(pool) => database::examine(service, pool, &flag).await,
            Err(why) => vec![finding(service.name, "database", Err(format!("{why:#}")))],
        }
    });
    findings.extend(join_all(examined).await.into_iter().flatten());
    let well = findings.iter().all(|finding| finding.ok);
    if args.json {
        say!("{}", serde_json::to_string_pretty(&findings)?)?;
    } else {
        for finding in &findings {
            let verdict = if finding.ok { "ok   " } else { "FAILS" };
            say!("{verdict} {:<10} {:<22} {}", finding.service, finding.check, finding.detail)?;
        }
        say!("{}", if well { "all is well" } else { "something needs you" })?;
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
