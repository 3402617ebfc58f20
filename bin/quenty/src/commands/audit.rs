//! `quenty audit`: walks every hash chain of every journal, and compares it with what was signed of it; shows who read
//! whose personal data.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use quenty_kernel::{clock::wall_now, id::UserId};
use quenty_platform::{
    access::{self, Filter, Read},
    checkpoints::{self, Checked},
    journal::{self, Verification},
};
use serde::Serialize;
use sqlx::PgPool;

use super::Databases;
use crate::{
    audit_key,
    embedded::{audit_folder, audit_public_key_file, was_never_signed},
    output::say,
    services,
};

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Find any entry that was changed, removed or reordered, and any journal that is not what was signed of it
    Verify {
        #[command(flatten)]
        databases: Databases,
        /// Where the signed checkpoints are [default: QUENTY_AUDIT_DIR, or the embedded platform's]
        #[arg(long, value_name = "DIR")]
        audit_dir: Option<PathBuf>,
        /// By whose key they are believed [default: QUENTY_AUDIT_PUBLIC_KEY, or the embedded platform's]
        #[arg(long = "public-key", value_name = "KEY")]
        public_keys: Vec<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show which of the platform's own people read personal data, newest first
    Reads(Reads),
    /// Make the key that signs checkpoints, and print its public half
    Key {
        /// The file of the private key, for QUENTY_AUDIT_KEY_FILE; nothing is overwritten
        #[arg(long, value_name = "FILE", default_value = "audit.key")]
        out: PathBuf,
    },
}

#[derive(clap::Args, Debug)]
pub struct Reads {
    #[command(flatten)]
    databases: Databases,
    /// Only this person's, by their id
    #[arg(long, value_name = "USER-ID")]
    actor: Option<UserId>,
    /// Only what was read of this, such as a customer's or an order's id
    #[arg(long, value_name = "ID")]
    about: Option<String>,
    /// From this moment on, such as 2026-11-27T00:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Up to this moment, and not including it
    #[arg(long, value_name = "TIME")]
    to: Option<Timestamp>,
    /// The newest so many
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u16).range(1..))]
    limit: u16,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Verify { databases, audit_dir, public_keys, json } => {
            let signed = Signed::find(&databases, audit_dir, public_keys)?;
            verify(&databases, signed.as_ref(), json).await
        }
        Command::Reads(asked) => reads(asked).await,
        Command::Key { out } => {
            say!("{}", audit_key::make(&out)?)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Where checkpoints are, and whose.
struct Signed {
    folder: PathBuf,
    keys: Vec<String>,
}

impl Signed {
    /// Nothing where no checkpoints are kept.
    fn find(databases: &Databases, folder: Option<PathBuf>, mut keys: Vec<String>) -> Result<Option<Self>> {
        let settings = services::settings()?;
        let data = databases.folder();
        let named = folder.or_else(|| settings.get("audit_dir").map(PathBuf::from));
        if keys.is_empty()
            && let Some(told) = settings.get("audit_public_key")
        {
            keys.extend(told.split(',').map(|key| key.trim().to_owned()));
        }
        let is_told = named.is_some() || !keys.is_empty();
        let Some(folder) = named.or_else(|| data.as_deref().map(audit_folder)) else { return Ok(None) };
        if !is_told && data.as_deref().is_some_and(was_never_signed) {
            // Their absence is a finding of each service, for whoever hides something could have taken all away.
            eprintln!(
                "nothing was ever signed in {}, or all of it was taken away: `quenty up` signs from its next start on",
                folder.display()
            );
            return Ok(Some(Self { folder, keys }));
        }
        if keys.is_empty()
            && let Some(data) = &data
        {
            let file = audit_public_key_file(data);
            let key = std::fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}: name the key with --public-key", file.display()))?;
            keys.push(key.trim().to_owned());
        }
        if keys.is_empty() {
            bail!(
                "by whose key are the checkpoints believed: set QUENTY_AUDIT_PUBLIC_KEY, or say --public-key"
            );
        }
        Ok(Some(Self { folder, keys }))
    }

    async fn verify(&self, db: &PgPool, service: &str) -> Result<Checked> {
        Ok(checkpoints::verify(db, &self.folder, service, &self.keys, wall_now()).await?)
    }
}

/// What is told of a service.
#[derive(Serialize)]
struct Outcome {
    #[serde(flatten)]
    chains: Verification,
    /// Nothing where none are kept.
    checkpoints: Option<Checked>,
}

impl Outcome {
    fn is_sound(&self) -> bool {
        self.chains.findings.is_empty()
            && self.checkpoints.as_ref().is_none_or(|signed| signed.findings.is_empty())
    }

    fn tell(&self, service: &str) -> Result<()> {
        let Verification { streams, entries, findings } = &self.chains;
        let verdict = if self.is_sound() { "whole" } else { "BROKEN" };
        let signed = match &self.checkpoints {
            None => "no checkpoints are kept".to_owned(),
            Some(Checked { checkpoints, last_at: Some(at), .. }) => {
                format!("{checkpoints} checkpoints until {at}")
            }
            Some(_) => "no checkpoint".to_owned(),
        };
        say!("{service:<10} {entries} entries in {streams} streams, {signed}: {verdict}")?;
        for finding in findings {
            say!("           {} version {}: {}", finding.stream, finding.stream_version, finding.what)?;
        }
        for finding in self.checkpoints.iter().flat_map(|signed| &signed.findings) {
            say!("           {finding}")?;
        }
        Ok(())
    }
}

async fn verify(databases: &Databases, signed: Option<&Signed>, as_json: bool) -> Result<ExitCode> {
    let mut sound = true;
    let mut told = serde_json::Map::new();
    for (service, db) in databases.open()? {
        let chains = journal::verify(&db).await?;
        let checkpoints = match signed {
            Some(signed) => Some(signed.verify(&db, service.name).await?),
            None => None,
        };
        let outcome = Outcome { chains, checkpoints };
        sound &= outcome.is_sound();
        if !as_json {
            outcome.tell(service.name)?;
        }
        told.insert(service.name.to_owned(), serde_json::to_value(&outcome)?);
    }
    if as_json {
        say!("{}", serde_json::Value::Object(told))?;
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A reading, and the service that was asked.
#[derive(Serialize)]
struct ReadOf {
    service: &'static str,
    #[serde(flatten)]
    read: Read,
}

async fn reads(asked: Reads) -> Result<ExitCode> {
    let Reads { databases, actor, about, from, to, limit, json } = asked;
    let filter = Filter { actor, about, from, to };
    let mut found = Vec::new();
    for (service, db) in databases.open()? {
        let reads = access::reads(&db, &filter, limit.into()).await?;
        found.extend(reads.into_iter().map(|read| ReadOf { service: service.name, read }));
    }
    found.sort_by_key(|of| std::cmp::Reverse((of.read.at, of.read.id)));
    found.truncate(limit.into());
    if json {
        say!("{}", serde_json::to_string(&found)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    for ReadOf { service, read: Read { at, actor, operation, path, address, .. } } in found {
        let method = operation.split(' ').next().unwrap_or_default();
        say!("{at:.0}  {actor}  {:<15}  {service:<8}  {method} {path}", address.as_deref().unwrap_or("-"))?;
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::Folder;

    #[test]
    fn a_folder_that_was_never_signed_is_verified_by_nobodys_key_and_one_that_lost_its_key_is_told() {
        let scratch = tempfile::tempdir().unwrap();
        let databases = Databases::of_folder(scratch.path());
        let find = || Signed::find(&databases, None, Vec::new());
        assert!(find().unwrap().unwrap().keys.is_empty());

        let folder = Folder::open(scratch.path()).unwrap();
        let public = folder.audit_key().and_then(|key| checkpoints::public_half(&key).context("a key"));
        assert_eq!(find().unwrap().unwrap().keys, [public.unwrap()]);

        std::fs::remove_file(audit_public_key_file(scratch.path())).unwrap();
        assert!(find().err().unwrap().to_string().contains("--public-key"));
        let elsewhere = scratch.path().join("elsewhere");
        assert!(Signed::find(&databases, Some(elsewhere), Vec::new()).is_err(), "what is named is believed");
    }
}
