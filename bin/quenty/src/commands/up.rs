//! `quenty up`: the whole platform in this process.

use std::{path::PathBuf, process::ExitCode, str::FromStr};

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use quenty_kernel::clock::wall_now;
use serde_json::json;

use super::data_flag;
use crate::{
    embedded::{Platform, Scratch, Start, default_folder},
    ending::Ending,
    output::say,
    services,
};

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The folder that keeps everything the platform needs
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Keep nothing: a temporary folder, and a database that does not wait for the disk
    #[arg(long, conflicts_with = "data")]
    ephemeral: bool,
    /// Business time stands still until an operator advances it; starts at this time, or this long ago (`7d`)
    #[arg(long, value_name = "START", num_args = 0..=1, default_missing_value = "7d")]
    simulated_clock: Option<From>,
    /// `default`: the ports of the mission; `free`: whatever is free
    #[arg(long, value_enum, default_value_t = Ports::Default)]
    ports: Ports,
    /// Write where everything listens to this file, as JSON, once it is ready
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// The address of the administrator that the first start makes [default: the setting, admin@quenty.local]
    #[arg(long, value_name = "EMAIL")]
    admin_email: Option<String>,
}

#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ports {
    Default,
    Free,
}

/// A moment, or how many days before now.
#[derive(Debug, Clone, Copy)]
struct From(Timestamp);

impl FromStr for From {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(days) = text.strip_suffix('d').and_then(|days| days.parse::<i64>().ok()) {
            return Ok(Self(wall_now() - SignedDuration::from_hours(24 * days)));
        }
        text.parse()
            .map(Self)
            .map_err(|_| "expected a time like 2026-01-05T12:00:00Z, or days like 7d".to_owned())
    }
}

pub async fn run(args: Args) -> Result<ExitCode> {
    services::log_quietly(&services::settings()?);
    let ending = Ending::listen()?;
    let scratch = args.ephemeral.then(Scratch::make).transpose()?;
    let start = Start {
        data: scratch
            .as_ref()
            .map(|scratch| scratch.path().to_owned())
            .or(args.data)
            .unwrap_or_else(default_folder),
        ephemeral: args.ephemeral,
        simulated_from: args.simulated_clock.map(|from| from.0),
        free_ports: args.ports == Ports::Free,
        admin_email: args.admin_email,
    };
    eprintln!("starting …");
    let platform = ending.patiently(Platform::start(&start, ending.asked.clone())).await?;
    let told = print_table(&platform).and_then(|()| match &args.ready_file {
        Some(file) => write_ready_file(&platform, file),
        None => Ok(()),
    });
    if told.is_ok() {
        ending.asked.cancelled().await;
        eprintln!("stopping …");
    }
    ending.patiently(platform.stop()).await?;
    told.map(|()| ExitCode::SUCCESS)
}

/// What runs where, with links.
pub fn print_table(platform: &Platform) -> Result<()> {
    let url = platform.url();
    let folder = &platform.folder;
    say!("\n  Quenty is ready.\n")?;
    say!("  {:<12} {:<28} what to open", "part", "address")?;
    say!("  {:<12} {:<28} {url}/docs/ (the API), {url}/health", "gateway", url)?;
    for part in &platform.listening {
        let address = format!("http://{}", part.address);
        say!("  {:<12} {address:<28} /openapi.json /health /metrics", part.name)?;
    }
    say!("\n  data      {}", folder.path().display())?;
    let flag = data_flag(Some(folder.path()));
    say!("  mails     {} (`quenty mail{flag}` lists them)", folder.mail().display())?;
    if folder.admin_password().exists() {
        say!(
            "  password  {} (the administrator's, who logs in as `admin`)",
            folder.admin_password().display()
        )?;
    } else {
        say!(
            "  password  QUENTY_ADMIN_PASSWORD of the first start (the administrator's, who logs in as `admin`)"
        )?;
    }
    if let Some(simulation) = &platform.simulation {
        say!("  clock     simulated: business time is {}", simulation.now())?;
    }
    say!("\n  Ctrl-C stops everything.\n")?;
    Ok(())
}

fn write_ready_file(platform: &Platform, file: &std::path::Path) -> Result<()> {
    let services: serde_json::Map<String, serde_json::Value> = platform
        .listening
        .iter()
        .map(|part| (part.name.to_owned(), format!("http://{}", part.address).into()))
        .collect();
    let ready = json!({
        "gateway": platform.url(),
        "services": services,
        "data": platform.folder.path(),
        "mail_dir": platform.folder.mail(),
        "admin_password_file": platform.folder.admin_password(),
    });
    let next = file.with_extension("next");
    std::fs::write(&next, ready.to_string())
        .and_then(|()| std::fs::rename(next, file))
        .with_context(|| format!("cannot write {}", file.display()))
}
