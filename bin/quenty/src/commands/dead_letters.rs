//! `quenty dead-letters`: what has given up, and what to do with it.

use std::process::ExitCode;

use anyhow::{Result, bail};
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

#[derive(clap::Subcommand, Debug, Clone, Copy)]
enum Action {
    /// List them, oldest first
    List,
    /// Show one whole
    Show { id: Uuid },
    /// Try one again, at once, in every service where it is dead (--service chooses)
    Replay { id: Uuid },
    /// Give one up, in every service where it is dead (--service chooses): what waits behind it goes on
    Discard { id: Uuid },
}

pub async fn run(args: Args) -> Result<ExitCode> {
    let databases = args.databases.open()?;
    let id = match args.action.unwrap_or(Action::List) {
        Action::List => return list(&databases).await,
        Action::Show { id } | Action::Replay { id } | Action::Discard { id } => id,
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
    let mut listed = 0;
    for (service, db) in databases {
        for letter in operate::dead_letters(db).await? {
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
            listed += 1;
        }
    }
    if listed == 0 {
        say!("no dead letters")?;
    }
    Ok(ExitCode::SUCCESS)
}
