//! `quenty topology apply`: declares the queues of all services before anything is published.

use std::process::ExitCode;

use anyhow::Result;
use quenty_platform::bus::rabbit::RabbitBus;

use crate::{output::say, services};

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Declare exchanges, queues and bindings of all services (QUENTY_BUS_URL); does nothing that is done
    Apply,
    /// Show which service hears which events
    Show,
}

pub async fn run(command: Command) -> Result<ExitCode> {
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
