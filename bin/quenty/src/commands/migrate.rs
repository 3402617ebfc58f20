//! `quenty migrate`: before a rollout, as the owner of the databases.

use std::process::ExitCode;

use anyhow::{Context, Result};
use quenty_platform::db;

use crate::{
    output::say,
    services::{self, SUPERUSER_VARIABLE, database_variable, owner_variable},
};

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
        let (owner_variable, app_variable) = (owner_variable(service.name), database_variable(service.name));
        let (owner_url, app_url) =
            (services::database_url(&owner_variable)?, services::database_url(&app_variable)?);
        let owner = Login::of(&owner_url).context(owner_variable)?;
        let app = Login::of(&app_url).context(app_variable)?;
        if args.create {
            let superuser = services::database_url(SUPERUSER_VARIABLE)?;
            db::create_database(&superuser, service.database, &owner.password, &app.password)
                .await
                .with_context(|| format!("cannot create {}", service.database))?;
        }
        db::migrate(&owner_url, &app.role, service.migrations)
            .await
            .with_context(|| format!("the database of {} cannot be migrated", service.name))?;
        say!("{:<10} {} is up to date", service.name, service.database)?;
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, PartialEq, Eq)]
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
        Ok(Self { role: percent_decoded(role)?, password: percent_decoded(password)? })
    }
}

/// As the driver reads it when it connects (RFC 3986, section 2.1).
fn percent_decoded(text: &str) -> Result<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|hex| byte == b'%' && hex.iter().all(u8::is_ascii_hexdigit));
        match hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()) {
            Some(decoded) => {
                bytes.push(decoded);
                rest = &after[2..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).context("role and password must be UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_and_password_are_what_the_driver_reads() {
        let login = Login::of("postgres://order_app:p%40ss%2Fw%C3%B6rd%25@db:5432/order_db").unwrap();
        assert_eq!(login, Login { role: "order_app".to_owned(), password: "p@ss/wörd%".to_owned() });
        assert!(Login::of("postgres://db/order_db").is_err());
    }
}
