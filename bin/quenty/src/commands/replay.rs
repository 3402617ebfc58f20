//! `quenty replay`: feeds a service that was born later, from the journals of the others.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use jiff::{SignedDuration, Timestamp};
use quenty_kernel::clock::wall_now;
use quenty_platform::{bus::rabbit::RabbitBus, operate};

use super::Databases;
use crate::{output::say, services};

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
    let settings = services::settings()?;
    let target = services::find(&args.to)?;
    let bus = RabbitBus::from_settings(&settings, services::topology())?;
    let databases = args.databases.open()?;
    let Some((_, own)) = databases.iter().find(|(service, _)| service.name == args.to) else {
        anyhow::bail!("the target's own database is needed to know what it has heard")
    };
    let types = replayable(target.hears(), &operate::heard_types(own).await?, args.since);
    ensure!(
        !types.is_empty(),
        "{} has heard every type that it listens to, and knows for {} days which events those were: older ones would be \
         taken twice; choose a later --since",
        args.to,
        operate::INBOX_KEPT_DAYS
    );
    for (service, db) in &databases {
        let mut after = 0;
        let mut sent = 0;
        loop {
            let batch = operate::journal_batch(db, service.name, &types, args.since, after).await?;
            let Some((last, _)) = batch.last() else { break };
            after = *last;
            for (_, envelope) in batch {
                bus.send_to(target.name, &envelope).await?;
                sent += 1;
            }
        }
        say!("{:<10} {sent} facts sent to {}", service.name, args.to)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A service takes what it knows once; beyond its memory, only types that it has never heard are safe.
fn replayable(hears: Vec<&'static str>, heard: &[String], since: Timestamp) -> Vec<&'static str> {
    let memory = SignedDuration::from_hours(24 * operate::INBOX_KEPT_DAYS);
    if since > wall_now() - memory {
        return hears;
    }
    hears.into_iter().filter(|kind| !heard.iter().any(|known| known == kind)).collect()
}
