//! `quenty dead-letters`: what has given up, and what to do with it.

use std::process::ExitCode;

use anyhow::{Result, bail};
use quenty_kernel::clock::wall_now;
use quenty_platform::{
    Error, Service,
    operate::{self, DeadLetter},
};
use sqlx::PgPool;
use uuid::Uuid;

use super::{Databases, data_flag};
use crate::output::say;

#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    databases: Databases,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// List them, oldest first
    List,
    /// Show one whole
    Show { id: Uuid },
    /// Try one again, or all, at once, in every service where it is dead (`--service` before `replay` chooses)
    Replay {
        #[arg(required_unless_present = "all")]
        id: Option<Uuid>,
        /// All that are dead
        #[arg(long, conflicts_with = "id")]
        all: bool,
        /// Only events of this type, or tasks of this kind, as the list names it
        #[arg(long, requires = "all")]
        kind: Option<String>,
    },
    /// Give one up, in every service where it is dead (`--service` before `discard` chooses): what waits behind it
    /// goes on
    Discard { id: Uuid },
}

pub async fn run(args: Args) -> Result<ExitCode> {
    let databases = args.databases.open()?;
    let id = match &args.action {
        None | Some(Action::List) => return list(&databases).await,
        Some(Action::Replay { id: None, kind, .. }) => return replay_all(&databases, kind.as_deref()).await,
        Some(Action::Show { id } | Action::Replay { id: Some(id), .. } | Action::Discard { id }) => *id,
    };
    let mut found = false;
    for (service, db) in &databases {
        // The same event may be dead in several services.
        let Some(letter) = operate::dead_letter(db, id).await? else { continue };
        found = true;
        match args.action {
            Some(Action::Replay { .. }) if settled(operate::replay(db, id).await)? => {
                say!("{}: {} is tried again", service.name, letter.kind)?;
            }
            Some(Action::Discard { .. }) if settled(operate::discard(db, id).await)? => {
                say!("{}: {} was given up", service.name, letter.kind)?;
            }
            Some(Action::Replay { .. } | Action::Discard { .. }) => {
                say!("{}: somebody else was faster", service.name)?;
            }
            _ => show(service, &letter)?,
        }
    }
    if !found {
        let flag = data_flag(args.databases.data.as_deref());
        bail!("no service has a dead letter {id}: `quenty dead-letters{flag}` lists them");
    }
    Ok(ExitCode::SUCCESS)
}

async fn replay_all(databases: &[(Service, PgPool)], kind: Option<&str>) -> Result<ExitCode> {
    for (service, db) in databases {
        let count = operate::replay_all(db, kind).await?;
        say!("{:<10} {count} are tried again", service.name)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether it was still dead.
fn settled(outcome: Result<(), Error>) -> Result<bool> {
    match outcome {
        Ok(()) => Ok(true),
        Err(Error::Failure(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn show(service: &Service, letter: &DeadLetter) -> Result<()> {
    let mut told = serde_json::to_value(letter)?;
    told["service"] = service.name.into();
    say!("{}", serde_json::to_string_pretty(&told)?)?;
    Ok(())
}

async fn list(databases: &[(Service, PgPool)]) -> Result<ExitCode> {
    let mut any = false;
    for (service, db) in databases {
        let letters = operate::dead_letters(db).await?;
        any |= !letters.is_empty();
        let listed = i64::try_from(letters.len())?;
        for letter in letters {
            say!(
                "{:<10} {} {:<6} {:<45} {} ({} behind it): {}",
                service.name,
                letter.id,
                letter.what,
                letter.kind,
                letter.subject,
                letter.waiting_behind,
                letter.error.as_deref().unwrap_or("?")
            )?;
        }
        let backlog = operate::backlog(db, wall_now()).await?;
        let more = backlog.inbox_dead + backlog.tasks_dead - listed;
        if more > 0 {
            say!("{:<10} and {more} more", service.name)?;
        }
    }
    if !any {
        say!("no dead letters")?;
    }
    Ok(ExitCode::SUCCESS)
}
