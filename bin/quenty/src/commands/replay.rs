//! `quenty replay`: gives a service that does not run what the others have published, from their journals.

use std::{collections::HashMap, path::Path, process::ExitCode};

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use quenty_kernel::clock::wall_now;
use quenty_platform::{
    Service,
    db::{self, Plans},
    embedded_postgres::{EmbeddedPostgres, Options},
    operate,
};
use sqlx::PgPool;

use super::Databases;
use crate::{
    embedded::{Folder, databases, databases_file, running_at},
    output::say,
    services,
};

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
    /// Even while the service runs, and facts that are older than what it has taken in of the same order, company …: its
    /// reactions have to bear them
    #[arg(long)]
    out_of_order: bool,
}

pub async fn run(args: Args) -> Result<ExitCode> {
    // Before anything is opened or started.
    services::find(&args.to)?;
    match args.databases.folder() {
        Some(folder) if running_at(&folder)?.is_none() => on_stopped(&folder, &args).await,
        _ => replay(&args, &args.databases.open()?).await,
    }
}

/// The PostgreSQL of a platform that does not run is there for as long as this takes, and holds the folder against it.
async fn on_stopped(folder: &Path, args: &Args) -> Result<ExitCode> {
    ensure!(
        databases_file(folder).exists(),
        "there is no platform in {}: name its folder with --data, or the databases by QUENTY_<SERVICE>_DATABASE_URL",
        folder.display()
    );
    let folder = Folder::open(folder)?;
    let postgres = EmbeddedPostgres::start(Options::new(folder.postgres())).await?;
    let replayed = async {
        // A service that is new has no database yet.
        databases::migrate(&services::all(), &folder, &postgres).await?;
        let open = |service: Service| -> Result<(Service, PgPool)> {
            let url = databases::app_url(&folder, &service, postgres.port())?;
            Ok((service, db::pool(&url, "operator", Plans::Custom, 2)?))
        };
        let opened = services::selected(&args.databases.services)?.into_iter().map(open);
        replay(args, &opened.collect::<Result<Vec<_>>>()?).await
    };
    let replayed = replayed.await;
    postgres.stop().await?;
    replayed
}

async fn replay(args: &Args, databases: &[(Service, PgPool)]) -> Result<ExitCode> {
    let target = databases.iter().find(|(service, _)| service.name == args.to);
    let (target, own) = target.context("the target's own database is needed to know what it has heard")?;
    refuse_what_is_served(args, target, own).await?;
    let heard = operate::heard_types(own).await?;
    let types = replayable(target.hears(), &heard, args.since);
    ensure!(
        !types.is_empty(),
        "{} has heard every type that it listens to, and knows for {} days which events those were: older ones would be \
         taken twice; choose a later --since",
        target.name,
        operate::INBOX_KEPT_DAYS
    );
    let mut late = 0;
    for (service, db) in databases {
        let taken_in =
            if args.out_of_order { HashMap::new() } else { operate::taken_in(own, service.name).await? };
        let (mut after, mut put) = (0, 0);
        loop {
            let batch = operate::journal_batch(db, service.name, &types, args.since, after).await?;
            let Some((last, _)) = batch.last() else { break };
            after = *last;
            let facts: Vec<_> = batch.into_iter().map(|(_, fact)| fact).collect();
            // Somebody may have started it meanwhile.
            refuse_what_is_served(args, target, own).await?;
            let replayed = operate::put_into_inbox(own, service.name, &facts, &taken_in).await?;
            put += replayed.put;
            late += replayed.late;
        }
        say!("{:<10} {put} facts wait for {}", service.name, target.name)?;
    }
    if late == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    say!(
        "{late} facts were left out: {} has taken in what came after them. Restore its database again and replay before it \
         starts, or say --out-of-order where its reactions bear that",
        target.name
    )?;
    Ok(ExitCode::FAILURE)
}

async fn refuse_what_is_served(args: &Args, target: &Service, own: &PgPool) -> Result<()> {
    ensure!(
        args.out_of_order || !operate::is_served(own, target.name).await?,
        "{} runs, and takes in what is new before what is replayed: stop all of its processes, or say --out-of-order",
        target.name
    );
    Ok(())
}

/// A service takes what it knows once; beyond its memory, only types that it has never heard are safe.
fn replayable(hears: Vec<&'static str>, heard: &[String], since: Timestamp) -> Vec<&'static str> {
    let memory = SignedDuration::from_hours(24 * operate::INBOX_KEPT_DAYS);
    if since > wall_now() - memory {
        return hears;
    }
    hears.into_iter().filter(|kind| !heard.iter().any(|known| known == kind)).collect()
}
