//! `quenty config check`: every setting, its value, where it came from, what it means.

use std::process::ExitCode;

use anyhow::Result;

use crate::services;

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Read defaults, file and environment as a service would; secrets are not shown
    Check {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

pub fn run(command: &Command) -> Result<ExitCode> {
    let Command::Check { json } = command;
    let rows = services::settings(&[])?.table();
    if *json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(ExitCode::SUCCESS);
    }
    for row in rows {
        println!("{:<28} {:<28} {:<24} {}", row.key, row.value, row.source, row.about);
    }
    Ok(ExitCode::SUCCESS)
}
