//! `quenty up`: the whole platform in this process.

use std::{path::PathBuf, process::ExitCode, str::FromStr};

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use quenty_kernel::clock::wall_now;
use quenty_platform::telemetry;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    embedded::{Platform, Start, default_folder},
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
    /// The administrator's address
    #[arg(long, default_value = "admin@quenty.local")]
    admin_email: String,
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
    let settings = services::settings(&[])?;
    telemetry::start(
        settings.get("log").filter(|_| std::env::var_os("QUENTY_LOG").is_some()).unwrap_or("warn"),
    );
    let scratch = args.ephemeral.then(scratch_folder).transpose()?;
    let data = scratch.clone().or(args.data).unwrap_or_else(default_folder);
    let start = Start {
        data,
        ephemeral: args.ephemeral,
        simulated_from: args.simulated_clock.map(|from| from.0),
        free_ports: args.ports == Ports::Free,
        admin_email: args.admin_email,
    };
    eprintln!("starting …");
    let platform = Platform::start(&start).await?;
    print_table(&platform);
    if let Some(file) = &args.ready_file {
        write_ready_file(&platform, file)?;
    }
    wait_for_the_end().await?;
    eprintln!("stopping …");
    platform.stop().await?;
    if let Some(scratch) = scratch {
        std::fs::remove_dir_all(scratch)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub fn scratch_folder() -> Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("quenty-{}", quenty_kernel::id::new_uuid().simple()));
    std::fs::create_dir(&folder)?;
    Ok(folder)
}

pub async fn wait_for_the_end() -> Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// What runs where, with links.
pub fn print_table(platform: &Platform) {
    let url = platform.url();
    println!("\n  Quenty is ready.\n");
    println!("  {:<12} {:<28} what to open", "part", "address");
    println!("  {:<12} {:<28} {url}/docs/ (the API), {url}/health", "gateway", url);
    for part in &platform.listening {
        println!(
            "  {:<12} {:<28} /openapi.json /health /metrics",
            part.name,
            format!("http://{}", part.address)
        );
    }
    println!("\n  data      {}", platform.folder.path().display());
    println!("  mails     {} (`quenty mail` lists them)", platform.folder.mail().display());
    println!("  password  {} (the administrator's)", platform.folder.admin_password().display());
    if let Some(simulation) = &platform.simulation {
        println!("  clock     simulated: business time is {}", simulation.now());
    }
    println!("\n  Ctrl-C stops everything.\n");
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
    std::fs::write(&next, ready.to_string())?;
    std::fs::rename(next, file)?;
    Ok(())
}
