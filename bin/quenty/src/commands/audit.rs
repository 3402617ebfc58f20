//! `quenty audit verify`: walks every hash chain of every journal.

use std::process::ExitCode;

use anyhow::Result;
use quenty_platform::journal;
use serde_json::json;

use super::Databases;
use crate::output::say;

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Find any entry that was changed, removed or reordered
    Verify {
        #[command(flatten)]
        databases: Databases,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

pub async fn run(command: Command) -> Result<ExitCode> {
    let Command::Verify { databases, json: as_json } = command;
    let mut sound = true;
    let mut told = serde_json::Map::new();
    for (service, db) in databases.open()? {
        let outcome = journal::verify(&db).await?;
        sound &= outcome.findings.is_empty();
        if !as_json {
            say!(
                "{:<10} {} entries in {} streams: {}",
                service.name,
                outcome.entries,
                outcome.streams,
                if outcome.findings.is_empty() { "whole" } else { "BROKEN" }
            )?;
            for finding in &outcome.findings {
                say!("           {} version {}: {}", finding.stream, finding.stream_version, finding.what)?;
            }
        }
        told.insert(service.name.to_owned(), json!(outcome));
    }
    if as_json {
        say!("{}", serde_json::Value::Object(told))?;
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
