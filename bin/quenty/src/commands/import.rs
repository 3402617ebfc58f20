//! `quenty import`: brings a merchant's own orders to a platform that runs, or to the demo's.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use quenty_kernel::clock::wall_now;
use quenty_platform::{Service, client::Transport, telemetry};
use sqlx::PgPool;

use super::{Databases, demo::examine, read_password, up};
use crate::{
    demo::{self, Backstage, Cast, api::Api},
    embedded::{Folder, Platform, Start, gateway_file},
    import::{self, Stock},
    services,
};

const DEFAULT_URL: &str = "http://127.0.0.1:8000";

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Bring in orders from a shop's export: Shopify's order CSV as it is
    Orders(Args),
}

#[derive(clap::Args, Debug)]
pub struct Args {
    file: PathBuf,
    /// Into the company of this user …
    #[arg(long, requires = "password_file")]
    email: Option<String>,
    /// … whose password is in this file
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Into the demo's merchant instead, who is made if need be, on the platform of --data
    #[arg(long, requires = "data", conflicts_with = "email")]
    demo_merchant: bool,
    /// The folder of the demo's platform; it is started for this if it does not run
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the platform answers; with --data it is known [default: http://127.0.0.1:8000]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// What becomes of orders whose goods are not on the shelf [default: backorder; with --demo-merchant: assume]
    #[arg(long, value_enum)]
    stock: Option<Stock>,
    /// Check and report, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Let the demo's dispatcher and drivers deliver what the merchant has sold
    #[arg(long, requires = "demo_merchant", conflicts_with = "dry_run")]
    deliver: bool,
    /// Write the report to this file, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where a platform that is started for this listens
    #[arg(long, value_enum, default_value_t = up::Ports::Default)]
    ports: up::Ports,
    /// The demo platform's administrator
    #[arg(long, default_value = "admin@quenty.local")]
    admin_email: String,
}

pub async fn run(command: Command) -> Result<ExitCode> {
    let Command::Orders(args) = command;
    let settings = services::settings(&[])?;
    telemetry::start(
        settings.get("log").filter(|_| std::env::var_os("QUENTY_LOG").is_some()).unwrap_or("warn"),
    );
    ensure!(args.file.is_file(), "there is no file {}", args.file.display());
    match (&args.email, &args.password_file, &args.data) {
        (Some(email), Some(password_file), _) => for_user(&args, email, password_file).await,
        (None, _, Some(data)) if args.demo_merchant => for_the_demo(&args, data).await,
        _ => bail!("say whose orders these are: --email and --password-file, or --demo-merchant and --data"),
    }
}

async fn for_user(args: &Args, email: &str, password_file: &Path) -> Result<ExitCode> {
    let url = args.url.as_deref().unwrap_or(DEFAULT_URL);
    let session = Api::new(url)
        .login(email, &read_password(password_file)?)
        .await
        .with_context(|| format!("{email} cannot log in at {url}"))?;
    let report =
        import::orders(&session, &args.file, args.stock.unwrap_or(Stock::Backorder), args.dry_run).await?;
    tell(args, &report)
}

async fn for_the_demo(args: &Args, data: &Path) -> Result<ExitCode> {
    let running = match &args.url {
        Some(url) => Some(url.clone()),
        None => answering(data).await,
    };
    match running {
        Some(url) => {
            let folder = Folder::open(data)?;
            let backstage = Backstage {
                url,
                admin_email: args.admin_email.clone(),
                admin_password: read_password(&folder.admin_password())?,
                mail_dir: folder.mail(),
            };
            let databases = Databases { services: Vec::new(), data: Some(data.to_owned()) }.open()?;
            on_platform(args, &backstage, &databases).await
        }
        None => on_own(args, data).await,
    }
}

/// Where the platform of that folder answers, if it runs.
async fn answering(data: &Path) -> Option<String> {
    let url = std::fs::read_to_string(gateway_file(data)).ok()?;
    let health = format!("{}/health", url.trim());
    let answer = Transport::default().get_json::<serde_json::Value>(&health, Duration::from_secs(5)).await;
    answer.is_ok().then(|| url.trim().to_owned())
}

/// Starts the platform for as long as this takes. A new one that is to deliver begins a week ago, as the demo's does.
async fn on_own(args: &Args, data: &Path) -> Result<ExitCode> {
    let is_new = !data.join("postgres").exists();
    let start = Start {
        data: data.to_owned(),
        ephemeral: false,
        simulated_from: (is_new && args.deliver).then(|| wall_now() - demo::WEEK),
        free_ports: args.ports == up::Ports::Free,
        admin_email: args.admin_email.clone(),
    };
    eprintln!("starting the platform of {} …", data.display());
    let platform = Platform::start(&start).await?;
    let databases: Vec<(Service, PgPool)> =
        platform.apps().map(|app| (app.service().clone(), app.db().clone())).collect();
    let outcome = match platform.backstage(&args.admin_email) {
        Ok(backstage) => on_platform(args, &backstage, &databases).await,
        Err(error) => Err(error),
    };
    platform.stop().await?;
    outcome
}

async fn on_platform(
    args: &Args,
    backstage: &Backstage,
    databases: &[(Service, PgPool)],
) -> Result<ExitCode> {
    eprintln!("importing {} at {} …", args.file.display(), backstage.url);
    let cast = Cast::assemble(backstage).await?;
    cast.make_room().await?;
    let report =
        import::orders(&cast.merchant, &args.file, args.stock.unwrap_or(Stock::Assume), args.dry_run).await?;
    let outcome = tell(args, &report)?;
    if args.deliver && report.is_whole() {
        let mut summary = demo::deliver(&cast).await?;
        examine(&mut summary, databases).await?;
        println!("{summary}");
        ensure!(summary.proofs.as_ref().is_some_and(demo::Proofs::hold), "a proof failed");
    }
    Ok(outcome)
}

fn tell(args: &Args, report: &import::Report) -> Result<ExitCode> {
    println!("{report}");
    if let Some(file) = &args.json {
        report.write(file)?;
    }
    Ok(if report.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
