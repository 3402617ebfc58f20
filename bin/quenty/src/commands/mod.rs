//! What `quenty` does on the command line, a file each.

pub mod audit;
pub mod config;
pub mod dead_letters;
pub mod demo;
pub mod doctor;
pub mod import;
pub mod mail;
pub mod migrate;
pub mod openapi;
pub mod replay;
pub mod serve;
pub mod topology;
pub mod up;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use quenty_platform::{Service, db};
use sqlx::PgPool;

use crate::{
    embedded::{databases_file, default_folder},
    services,
};

/// Which services' databases a command works on, and where they are.
#[derive(clap::Args, Debug, Clone)]
pub struct Databases {
    /// Only these services
    #[arg(long = "service", value_name = "NAME")]
    pub services: Vec<String>,
    /// The data folder of a running embedded platform; without it the environment says where (`QUENTY_<SERVICE>_DATABASE_URL`)
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

impl Databases {
    /// Opens the databases of the chosen services.
    pub fn open(&self) -> Result<Vec<(Service, PgPool)>> {
        services::selected(&self.services)?
            .into_iter()
            .map(|service| {
                let url = self.url(&service)?;
                let pool = db::pool(&url, "operator", 2)?;
                Ok((service, pool))
            })
            .collect()
    }

    fn url(&self, service: &Service) -> Result<String> {
        let variable = format!("QUENTY_{}_DATABASE_URL", service.name.to_uppercase());
        match (&self.data, std::env::var_os(&variable)) {
            (None, Some(url)) => url.into_string().ok().with_context(|| format!("{variable} is not UTF-8")),
            (None, None) => embedded_url(&default_folder(), service)
                .with_context(|| format!("set {variable}, or name the platform's folder with --data")),
            (Some(data), _) => embedded_url(data, service),
        }
    }
}

/// The application role's URL in a running embedded platform; `up` writes it beside the data.
fn embedded_url(data: &Path, service: &Service) -> Result<String> {
    let path = databases_file(data);
    let text = std::fs::read_to_string(&path).with_context(|| {
        format!("cannot read {}: is the platform of that folder running?", path.display())
    })?;
    let urls: std::collections::BTreeMap<String, String> = serde_json::from_str(&text)?;
    urls.get(service.name)
        .cloned()
        .with_context(|| format!("{} names no database of {}", path.display(), service.name))
}

fn read_password(file: &Path) -> Result<String> {
    Ok(std::fs::read_to_string(file)
        .with_context(|| format!("cannot read {}", file.display()))?
        .trim()
        .to_owned())
}
