//! `quenty config check`: every setting, its value, where it came from, what it means, and what is wrong with it.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use crate::{output::say, services, settings_check};

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Read defaults, file and environment as a service would, and find what cannot work; secrets are not shown
    Check {
        /// Check what this service, or `gateway`, needs, too
        service: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

pub fn run(command: &Command) -> Result<ExitCode> {
    let Command::Check { service, json: as_json } = command;
    let (mut settings, unknown) = services::read_settings()?;
    if let Some(name) = service.as_deref().filter(|name| *name != "gateway") {
        settings = services::with_databases_of(services::find(name)?.name, settings);
    }
    let mut flaws: Vec<String> = unknown.iter().map(ToString::to_string).collect();
    flaws.extend(settings_check::flaws(&settings, service.as_deref()));
    if *as_json {
        let told = json!({"settings": settings.table(), "flaws": flaws});
        say!("{}", serde_json::to_string_pretty(&told)?)?;
    } else {
        for row in settings.table() {
            say!("{:<28} {:<28} {:<24} {}", row.key, row.value, row.source, row.about)?;
        }
        for flaw in &flaws {
            say!("WRONG {flaw}")?;
        }
    }
    Ok(if flaws.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
