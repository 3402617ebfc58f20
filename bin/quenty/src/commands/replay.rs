//! `quenty replay`: feeds a service that was born later, from the journals of the others.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use jiff::Timestamp;
use quenty_platform::{bus::rabbit::RabbitBus, operate};

use super::Databases;
use crate::services;

#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    databases: Databases,
    /// The service that is to hear them
    #[arg(long, value_name = "SERVICE")]
    to: String,
    /// Facts that happened since then
    #[arg(long)]
    since: Timestamp,
}

pub async fn run(args: Args) -> Result<ExitCode> {
    let settings = services::settings(&[])?;
    let target = services::find(&args.to)?;
    let bus = RabbitBus::connect_lazily(settings.require("bus_url")?, services::topology());
    let databases = args.databases.open()?;
    let Some((_, own)) = databases.iter().find(|(service, _)| service.name == args.to) else {
        anyhow::bail!("the target's own database is needed to know what it has heard")
    };
    let heard = operate::heard_types(own).await?;
    let new: Vec<&str> =
        target.hears().into_iter().filter(|kind| !heard.iter().any(|known| known == kind)).collect();
    ensure!(
        !new.is_empty(),
        "{} has heard every type that it listens to: older events would be taken twice",
        args.to
    );
    for (service, db) in &databases {
        let mut after = 0;
        let mut sent = 0;
        loop {
            let batch = operate::journal_batch(db, service.name, &new, args.since, after).await?;
            let Some((last, _)) = batch.last() else { break };
            after = *last;
            for (_, envelope) in batch {
                bus.send_to(target.name, &envelope).await?;
                sent += 1;
            }
        }
        println!("{:<10} {sent} facts sent to {}", service.name, args.to);
    }
    Ok(ExitCode::SUCCESS)
}
