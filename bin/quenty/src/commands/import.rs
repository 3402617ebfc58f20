//! `quenty import`: brings a merchant's own orders to a platform that runs, or to the demo's.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail, ensure};
use quenty_kernel::clock::wall_now;
use quenty_platform::Service;
use sqlx::PgPool;

use super::{Databases, data_flag, demo::examine, read_password, up};
use crate::{
    demo::{self, Backstage, Cast, api::Api},
    embedded::{Folder, Platform, Start, running_at},
    ending::Ending,
    import::{self, Stock},
    output::say,
    services,
};

const DEFAULT_URL: &str = "http://127.0.0.1:8000";
/// What is true once somebody has stopped waiting.
const GOES_ON: &str = "this command has ended, and the platform goes on with an import that had begun: the same command again tells \
                       what became of it, and makes nothing twice";

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
    /// The folder of an embedded platform; for --demo-merchant it is started if it does not run
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the platform answers; with --data that is known [default: http://127.0.0.1:8000]
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
    /// The address of the demo platform's administrator [default: whoever its first start made]
    #[arg(long, value_name = "EMAIL")]
    admin_email: Option<String>,
}

pub async fn run(command: Command) -> Result<ExitCode> {
    let Command::Orders(args) = command;
    services::log_quietly(&services::settings()?);
    ensure!(args.file.is_file(), "there is no file {}", args.file.display());
    let ending = Ending::listen()?;
    match (&args.email, &args.password_file, &args.data) {
        (Some(email), Some(password_file), _) => {
            ending.unless_asked(for_user(&args, email, password_file), GOES_ON).await
        }
        (None, _, Some(data)) if args.demo_merchant => for_the_demo(&args, data, &ending).await,
        _ => bail!("say whose orders these are: --email and --password-file, or --demo-merchant and --data"),
    }
}

async fn for_user(args: &Args, email: &str, password_file: &Path) -> Result<ExitCode> {
    let url = match (&args.url, &args.data) {
        (Some(url), _) => url.clone(),
        (None, Some(data)) => running_at(data)?.with_context(|| {
            let flag = data_flag(Some(data));
            format!("the platform of {} does not run: start it with `quenty up{flag}`", data.display())
        })?,
        (None, None) => DEFAULT_URL.to_owned(),
    };
    let session = Api::new(&url)
        .login(email, &read_password(password_file)?)
        .await
        .with_context(|| format!("{email} cannot log in at {url}"))?;
    let report =
        import::orders(&session, &args.file, args.stock.unwrap_or(Stock::Backorder), args.dry_run).await?;
    tell(args, &report)
}

async fn for_the_demo(args: &Args, data: &Path, ending: &Ending) -> Result<ExitCode> {
    let url = match &args.url {
        Some(url) => Some(url.clone()),
        None => running_at(data)?,
    };
    let Some(url) = url else {
        return on_own(args, data, ending).await;
    };
    let backstage = Backstage::of_folder(url, &Folder::open(data)?, args.admin_email.as_deref())?;
    let databases = Databases::of_folder(data).open()?;
    ending.unless_asked(on_platform(args, &backstage, &databases), GOES_ON).await
}

/// Starts the platform for as long as this takes. A new one that is to deliver begins a week ago, as the demo's does.
async fn on_own(args: &Args, data: &Path, ending: &Ending) -> Result<ExitCode> {
    let is_new = !data.join("postgres").exists();
    let start = Start {
        data: data.to_owned(),
        ephemeral: false,
        simulated_from: (is_new && args.deliver).then(|| wall_now() - demo::WEEK),
        free_ports: args.ports == up::Ports::Free,
        admin_email: args.admin_email.clone(),
    };
    eprintln!("starting the platform of {} …", data.display());
    let platform = ending.patiently(Platform::start(&start, ending.asked.clone())).await?;
    let work = async {
        let backstage = platform.backstage(args.admin_email.as_deref())?;
        on_platform(args, &backstage, &platform.databases()).await
    };
    let flag = data_flag(Some(data));
    let ends_with_it = format!(
        "this command has ended, and its platform with it: an import that had begun goes on when that runs again (`quenty up{flag}`, \
         or the same command, which makes nothing twice)"
    );
    let outcome = ending.unless_asked(work, &ends_with_it).await;
    ending.patiently(platform.stop()).await?;
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
        say!("{summary}")?;
        ensure!(summary.proofs.as_ref().is_some_and(demo::Proofs::hold), "a proof failed");
    }
    Ok(outcome)
}

fn tell(args: &Args, report: &import::Report) -> Result<ExitCode> {
    say!("{report}")?;
    if let Some(file) = &args.json {
        report.write(file)?;
    }
    Ok(if report.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
