//! `quenty dead-letters`: what has given up, and what to do with it.

use std::process::ExitCode;

use anyhow::{Context, Result};
use quenty_platform::operate;
use uuid::Uuid;

use super::Databases;

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
    /// Try one again, at once
    Replay { id: Uuid },
    /// Give one up: what waits behind it goes on
    Discard { id: Uuid },
}

pub async fn run(args: Args) -> Result<ExitCode> {
    let mut listed = 0;
    for (service, db) in args.databases.open()? {
        for letter in operate::dead_letters(&db).await? {
            match args.action.unwrap_or(Action::List) {
                Action::List => {
                    println!(
                        "{:<10} {} {:<6} {:<45} {} ({} behind it): {}",
                        service.name,
                        letter.id,
                        letter.what,
                        letter.kind,
                        letter.subject,
                        letter.waiting_behind,
                        letter.error.as_deref().unwrap_or("?")
                    );
                    listed += 1;
                }
                Action::Show { id } if id == letter.id => {
                    println!("{}", serde_json::to_string_pretty(&letter)?);
                    return Ok(ExitCode::SUCCESS);
                }
                Action::Replay { id } if id == letter.id => {
                    operate::replay(&db, id).await?;
                    println!("{}: {} is tried again", service.name, letter.kind);
                    return Ok(ExitCode::SUCCESS);
                }
                Action::Discard { id } if id == letter.id => {
                    operate::discard(&db, id).await?;
                    println!("{}: {} was given up", service.name, letter.kind);
                    return Ok(ExitCode::SUCCESS);
                }
                _ => {}
            }
        }
    }
    match args.action {
        None | Some(Action::List) => {
            if listed == 0 {
                println!("no dead letters");
            }
            Ok(ExitCode::SUCCESS)
        }
        Some(_) => Err(anyhow::anyhow!("no service has such a dead letter"))
            .context("`quenty dead-letters` lists them"),
    }
}
