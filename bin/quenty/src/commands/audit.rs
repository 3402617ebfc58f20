//! `quenty audit`: walks every hash chain of every journal, and compares it with what was signed of it.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};
use quenty_kernel::clock::wall_now;
use quenty_platform::{
    checkpoints::{self, Checked},
    journal::{self, Verification},
};
use serde::Serialize;
use sqlx::PgPool;

use super::Databases;
use crate::{
    audit_key,
    embedded::{audit_folder, audit_public_key_file},
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
    /// Make the key that signs checkpoints, and print its public half
    Key {
        /// The file of the private key, for QUENTY_AUDIT_KEY_FILE; nothing is overwritten
        #[arg(long, value_name = "FILE", default_value = "audit.key")]
        out: PathBuf,
    },
}

pub async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Verify { databases, audit_dir, public_keys, json } => {
            let signed = Signed::find(&databases, audit_dir, public_keys)?;
            verify(&databases, signed.as_ref(), json).await
        }
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
        let folder = folder
            .or_else(|| settings.get("audit_dir").map(PathBuf::from))
            .or_else(|| data.as_deref().map(audit_folder));
        let Some(folder) = folder else { return Ok(None) };
        if keys.is_empty()
            && let Some(told) = settings.get("audit_public_key")
        {
            keys.extend(told.split(',').map(|key| key.trim().to_owned()));
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
