//! `quenty migrate`: before a rollout, as the owner of the databases.

use std::process::ExitCode;

use anyhow::{Context, Result};
use quenty_platform::db;

use crate::services;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only these services
    services: Vec<String>,
    /// Create missing databases and roles first, with the superuser's URL in QUENTY_SUPERUSER_URL; the roles'
    /// passwords are read from the services' URLs
    #[arg(long)]
    create: bool,
}

pub async fn run(args: Args) -> Result<ExitCode> {
    for service in services::selected(&args.services)? {
        let owner_url = variable(&format!("QUENTY_{}_DATABASE_OWNER_URL", service.name.to_uppercase()))?;
        let app_url = variable(&format!("QUENTY_{}_DATABASE_URL", service.name.to_uppercase()))?;
        let (owner, app) = (Login::of(&owner_url)?, Login::of(&app_url)?);
        if args.create {
            let superuser = variable("QUENTY_SUPERUSER_URL")?;
            db::create_database(&superuser, service.database, &owner.password, &app.password)
                .await
                .with_context(|| format!("cannot create {}", service.database))?;
        }
        db::migrate(&owner_url, &app.role, service.migrations)
            .await
            .with_context(|| format!("the database of {} cannot be migrated", service.name))?;
        println!("{:<10} {} is up to date", service.name, service.database);
    }
    Ok(ExitCode::SUCCESS)
}

fn variable(name: &str) -> Result<String> {
    std::env::var_os(name)
        .and_then(|value| value.into_string().ok())
        .with_context(|| format!("{name} is not set"))
}

struct Login {
    role: String,
    password: String,
}

impl Login {
    /// Reads `postgres://role:password@host/database`.
    fn of(url: &str) -> Result<Self> {
        let (role, password) = url
            .split_once("://")
            .and_then(|(_, rest)| rest.rsplit_once('@'))
            .and_then(|(login, _)| login.split_once(':'))
            .context("a database URL names role and password: postgres://role:password@host/database")?;
        Ok(Self { role: role.to_owned(), password: password.to_owned() })
    }
}
