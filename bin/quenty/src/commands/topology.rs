//! `quenty topology`: declares the queues of all services before anything is published, and shows who hears what.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use quenty_platform::bus::rabbit::RabbitBus;

use super::openapi;
use crate::{output::say, services};

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Declare exchanges, queues and bindings of all services (QUENTY_BUS_URL); does nothing that is done
    Apply,
    /// Show which service hears which events
    Show,
    /// Write the page of who calls whom and who hears whom
    Page {
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Write nothing, fail if the file is not what would be written
        #[arg(long)]
        check: bool,
    },
}

pub async fn run(command: Command) -> Result<ExitCode> {
    if let Command::Page { out, check } = command {
        let current = openapi::write(&out, &services::communication::page(&services::all()), check)?;
        return Ok(if current { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let topology = services::topology();
    for (service, types) in topology.services() {
        say!("{service} hears {} types", types.len())?;
        if matches!(command, Command::Show) {
            for kind in types {
                say!("  {kind}")?;
            }
        }
    }
    if matches!(command, Command::Apply) {
        let settings = services::settings()?;
        RabbitBus::from_settings(&settings, topology)?.declare().await?;
        say!("the broker has them all")?;
    }
    Ok(ExitCode::SUCCESS)
}
