//! `quenty up`: the whole platform in this process, or in many.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    process::ExitCode,
    str::FromStr,
};

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use quenty_kernel::clock::wall_now;
use quenty_servers::files;
use serde_json::json;

use super::data_flag;
use crate::{
    distributed::{CERTIFICATES, Distributed, Wanted, find_consul},
    embedded::{Folder, Platform, Scratch, Start, default_folder},
    ending::Ending,
    output::{quoted, say, tell},
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
    /// Every service as a process of its own, nginx before two gateways, on PostgreSQL with a replica, RabbitMQ, Redis
    /// and Consul
    #[arg(long, conflicts_with_all = ["ephemeral", "simulated_clock"])]
    distributed: bool,
    /// Consul's binary, for --distributed [default: on the PATH, or as scripts/ensure-consul keeps it]
    #[arg(long, value_name = "FILE", requires = "distributed")]
    consul: Option<PathBuf>,
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
    if let Some(file) = &args.ready_file {
        // That of an earlier run would tell of this one.
        remove(file)?;
    }
    if args.distributed {
        return distributed(args, &ending).await;
    }
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
    tell!("starting …");
    let platform = ending.patiently(Platform::start(&start, ending.asked.clone())).await?;
    let services = platform.listening.iter().map(|part| (part.name.to_owned(), part.address.to_string()));
    let services: Vec<_> = services.map(|(name, address)| (name, format!("http://{address}"))).collect();
    let told = print_table(&platform).and_then(|()| match &args.ready_file {
        Some(file) => write_ready_file(&platform.url(), &platform.folder, services, file),
        None => Ok(()),
    });
    let mut code = ExitCode::SUCCESS;
    if told.is_ok() {
        if let Err(why) = platform.asked_to_end().await {
            // Now, since stopping takes its time without the database.
            tell!("error: {why:#}");
            code = ExitCode::FAILURE;
        }
        tell!("stopping …");
    }
    ending.patiently(platform.stop()).await?;
    told.map(|()| code)
}

async fn distributed(args: Args, ending: &Ending) -> Result<ExitCode> {
    let wanted = Wanted {
        data: args.data.unwrap_or_else(default_folder),
        free_ports: args.ports == Ports::Free,
        admin_email: args.admin_email,
        consul: find_consul(args.consul)?,
    };
    tell!("starting the servers and the processes …");
    let platform = ending.patiently(Distributed::start(&wanted, &ending.asked)).await?;
    let services = platform.layout.members.iter().map(|member| (member.name.clone(), member.url())).collect();
    let told = print_distributed(&platform).and_then(|()| match &args.ready_file {
        Some(file) => write_ready_file(&platform.url(), &platform.folder, services, file),
        None => Ok(()),
    });
    if told.is_ok() {
        ending.asked.cancelled().await;
        tell!("stopping …");
    }
    let stopping = async {
        platform.stop().await;
        Ok(())
    };
    ending.patiently(stopping).await?;
    told.map(|()| ExitCode::SUCCESS)
}

/// What runs where, with links.
pub fn print_distributed(platform: &Distributed) -> Result<()> {
    say!("\n  Quenty is ready, in many processes, at {}\n", platform.url())?;
    say!("  {:<16} {:<28} what is there", "part", "address")?;
    for line in &platform.lines {
        say!("  {:<16} {:<28} {}", line.name, line.address, line.about)?;
    }
    print_folder(&platform.folder)?;
    let folder = platform.folder.path().display();
    say!("  processes {folder}/processes.json (which is which), {folder}/logs")?;
    let shown = |file: &str| quoted(format!("{folder}/{CERTIFICATES}/{file}"));
    say!(
        "  services  answer who shows a certificate: curl --cacert {} --cert {} --key {} …",
        shown("ca.pem"),
        shown("operator.pem"),
        shown("operator.key")
    )?;
    say!("\n  What ends is started again. Ctrl-C stops everything.\n")?;
    Ok(())
}

/// What runs where, with links.
pub fn print_table(platform: &Platform) -> Result<()> {
    let url = platform.url();
    say!("\n  Quenty is ready.\n")?;
    say!("  {:<12} {:<28} what to open", "part", "address")?;
    say!("  {:<12} {:<28} {url}/docs/ (the API), {url}/health", "gateway", url)?;
    for part in &platform.listening {
        let address = format!("http://{}", part.address);
        say!("  {:<12} {address:<28} /openapi.json /health /metrics", part.name)?;
    }
    print_folder(&platform.folder)?;
    if let Some(simulation) = &platform.simulation {
        say!("  clock     simulated: business time is {}", simulation.now())?;
    }
    say!("\n  Ctrl-C stops everything.\n")?;
    Ok(())
}

fn print_folder(folder: &Folder) -> Result<()> {
    say!("\n  data      {}", folder.path().display())?;
    let flag = data_flag(Some(folder.path()));
    match services::settings()?.get("smtp_url") {
        Some(_) => say!("  mails     go out by QUENTY_SMTP_URL")?,
        None => say!("  mails     {} (`quenty mail{flag}` lists them)", folder.mail().display())?,
    }
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
    Ok(())
}

fn remove(file: &Path) -> Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", file.display()))
        }
        _ => Ok(()),
    }
}

fn write_ready_file(url: &str, folder: &Folder, services: Vec<(String, String)>, file: &Path) -> Result<()> {
    let services: BTreeMap<String, String> = services.into_iter().collect();
    let ready = json!({
        "gateway": url,
        "services": services,
        "data": folder.path(),
        "mail_dir": folder.mail(),
        "admin_password_file": folder.admin_password(),
    });
    files::replace(file, ready.to_string().as_bytes(), 0o644)
        .with_context(|| format!("cannot write {}", file.display()))
}
