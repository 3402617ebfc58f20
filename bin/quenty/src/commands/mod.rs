//! What `quenty` does on the command line, a file each.

pub mod audit;
pub mod certs;
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
    output::quoted,
    services::{self, database_variable},
};

/// Which services' databases a command works on, and where they are.
#[derive(clap::Args, Debug, Clone)]
pub struct Databases {
    /// Only these services
    #[arg(long = "service", value_name = "NAME")]
    pub services: Vec<String>,
    /// The data folder of an embedded platform [default: the databases of `QUENTY_<SERVICE>_DATABASE_URL`; where the
    /// environment names none, `.quenty/data`]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

impl Databases {
    /// Those of the platform of a folder.
    pub fn of_folder(data: &Path) -> Self {
        Self { services: Vec::new(), data: Some(data.to_owned()) }
    }

    /// Opens the databases of the chosen services.
    pub fn open(&self) -> Result<Vec<(Service, PgPool)>> {
        let each = self.each()?.into_iter();
        each.map(|(service, opened)| Ok((service, opened?))).collect()
    }

    /// As [`Databases::open`], for those who go on without the ones that are not to be found.
    pub fn each(&self) -> Result<Vec<(Service, Result<PgPool>)>> {
        let chosen = services::selected(&self.services)?.into_iter();
        let open = |service: &Service| Ok(db::pool(&self.url(service)?, "operator", db::Plans::Custom, 2)?);
        Ok(chosen
            .map(|service| (open(&service), service))
            .map(|(opened, service)| (service, opened))
            .collect())
    }

    /// The folder of the embedded platform that is meant; none when the environment names the databases.
    pub fn folder(&self) -> Option<PathBuf> {
        let named =
            services::names().iter().any(|name| services::variable(&database_variable(name)).is_some());
        self.data.clone().or_else(|| (!named).then(default_folder))
    }

    fn url(&self, service: &Service) -> Result<String> {
        let variable = database_variable(service.name);
        match self.folder() {
            None => {
                services::database_url(&variable).context("set it, or name the platform's folder with --data")
            }
            Some(folder) if self.data.is_some() => embedded_url(&folder, service),
            Some(folder) => embedded_url(&folder, service)
                .with_context(|| format!("set {variable}, or name the platform's folder with --data")),
        }
    }
}

/// The application role's URL in a running embedded platform; `up` writes it beside the data.
fn embedded_url(data: &Path, service: &Service) -> Result<String> {
    let path = databases_file(data);
    let text = std::fs::read_to_string(&path).with_context(|| {
        format!("cannot read {}: is the platform of that folder running?", path.display())
    })?;
    let urls: std::collections::BTreeMap<String, String> =
        serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))?;
    urls.get(service.name)
        .cloned()
        .with_context(|| format!("{} names no database of {}", path.display(), service.name))
}

/// What to add to a command that we tell people to run, so that it finds this folder.
pub fn data_flag(data: Option<&Path>) -> String {
    let of_another = data.filter(|data| match (data.canonicalize(), default_folder().canonicalize()) {
        (Ok(data), Ok(default)) => data != default,
        _ => true,
    });
    of_another.map_or_else(String::new, |data| format!(" --data {}", quoted(data.display())))
}

fn read_password(file: &Path) -> Result<String> {
    Ok(std::fs::read_to_string(file)
        .with_context(|| format!("cannot read {}", file.display()))?
        .trim()
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_a_space_is_one_word_of_the_command_that_names_it() {
        assert_eq!(data_flag(Some(Path::new("/nowhere/my data"))), " --data '/nowhere/my data'");
        assert_eq!(data_flag(None), "");
    }
}
