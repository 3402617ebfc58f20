//! `quenty openapi`: the API's description, generated from the handlers.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use quenty_platform::{Service, http};

use crate::{output::say, services};

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Print this service's document
    service: Option<String>,
    /// Write the documents of all services into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// With --out: write nothing, fail if a file is not what would be written
    #[arg(long, requires = "out")]
    check: bool,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    if let Some(name) = &args.service {
        say!("{}", text(&services::find(name)?)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let folder = args.out.as_deref().context("name a service, or a folder with --out")?;
    let mut current = true;
    for service in services::all() {
        current &= write(&folder.join(format!("{}.json", service.name)), &text(&service)?, args.check)?;
    }
    Ok(if current { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn text(service: &Service) -> Result<String> {
    Ok(serde_json::to_string_pretty(&http::document(service))? + "\n")
}

/// Writes a generated file, or says whether it is what would be written.
pub(super) fn write(path: &Path, text: &str, check: bool) -> Result<bool> {
    if check {
        let same = std::fs::read_to_string(path).is_ok_and(|found| found == text);
        if !same {
            eprintln!("{} is out of date: run `make docs`", path.display());
        }
        return Ok(same);
    }
    std::fs::create_dir_all(path.parent().context("a file in a folder")?)?;
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(true)
}
