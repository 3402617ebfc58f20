//! `quenty demo`: plays the demo on its own platform, or on one that runs.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};
use quenty_kernel::clock::wall_now;
use quenty_platform::{
    Service, journal,
    operate::{self, Traffic},
};
use sqlx::PgPool;

use super::{Databases, read_password, up};
use crate::{
    demo::{self, Backstage, Proofs, Script, Summary, admin_password},
    distributed::{Distributed, Wanted, find_consul},
    embedded::{Platform, Scratch, Start},
    ending::Ending,
    output::say,
    services,
};

const BROKEN_OFF: &str = "broken off before it was done";

#[derive(clap::Args, Debug)]
pub struct Args {
    /// How many orders the week has
    #[arg(long, default_value_t = 60)]
    orders: usize,
    /// The same seed gives the same week
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Keep the platform in this folder; with --url, the folder of that platform
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Play on a platform that runs already
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The administrator's address [default: whoever the platform's first start made]
    #[arg(long, value_name = "EMAIL")]
    admin_email: Option<String>,
    /// A file with the administrator's password
    #[arg(long, value_name = "FILE")]
    admin_password_file: Option<PathBuf>,
    /// The folder into which that platform puts its mails
    #[arg(long, value_name = "DIR")]
    mail_dir: Option<PathBuf>,
    /// End after the summary instead of leaving the platform running
    #[arg(long)]
    exit: bool,
    /// Write the summary to this file, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The demo's own platform runs in many processes, as of `quenty up --distributed`, and in real time
    #[arg(long, conflicts_with = "url")]
    distributed: bool,
    /// Consul's binary, for --distributed
    #[arg(long, value_name = "FILE", requires = "distributed")]
    consul: Option<PathBuf>,
    /// Where the demo's own platform listens
    #[arg(long, value_enum, default_value_t = up::Ports::Default)]
    ports: up::Ports,
}

pub async fn run(args: Args) -> Result<ExitCode> {
    services::log_quietly(&services::settings()?);
    let ending = Ending::listen()?;
    match &args.url {
        Some(url) => ending.unless_asked(on_running(&args, url), BROKEN_OFF).await,
        None if args.distributed => on_many_processes(&args, &ending).await,
        None => on_own(&args, &ending).await,
    }
}

async fn on_running(args: &Args, url: &str) -> Result<ExitCode> {
    let in_folder = |name: &str| args.data.as_ref().map(|data| data.join(name));
    let password = match &args.admin_password_file {
        Some(file) => read_password(file)?,
        None => {
            let file = in_folder("admin.password")
                .context("say --admin-password-file, or --data of that platform")?;
            admin_password(&file)?
        }
    };
    let mail_dir = args.mail_dir.clone().or_else(|| in_folder("mail"));
    let mail_dir = mail_dir.context("say --mail-dir, or --data of that platform")?;
    let backstage = Backstage::new(url.to_owned(), args.admin_email(), password, mail_dir);
    let mut summary = demo::play(&backstage, args.script()).await?;
    let databases = Databases { services: Vec::new(), data: args.data.clone() };
    if args.data.is_some() || databases.folder().is_none() {
        examine(&mut summary, &databases.open()?).await?;
    }
    tell(&summary, args)
}

/// The folder that is asked for, or one that goes with what is beside it.
fn folder(args: &Args) -> Result<(PathBuf, Option<Scratch>)> {
    if let Some(data) = &args.data {
        return Ok((data.clone(), None));
    }
    let scratch = Scratch::make()?;
    Ok((scratch.path().to_owned(), Some(scratch)))
}

async fn on_own(args: &Args, ending: &Ending) -> Result<ExitCode> {
    let (data, scratch) = folder(args)?;
    let start = Start {
        data,
        ephemeral: scratch.is_some(),
        simulated_from: Some(wall_now() - demo::WEEK),
        free_ports: args.ports == up::Ports::Free,
        admin_email: args.admin_email.clone(),
    };
    eprintln!("starting the platform …");
    let platform = ending.patiently(Platform::start(&start, ending.asked.clone())).await?;
    eprintln!("it is ready at {}; playing a week of {} orders …", platform.url(), args.orders);
    let mut outcome = ending.unless_asked(on_platform(args, &platform), BROKEN_OFF).await;
    if outcome.is_ok() && !args.exit {
        outcome = up::print_table(&platform).and(outcome);
        outcome = platform.asked_to_end().await.and(outcome);
    }
    ending.patiently(platform.stop()).await?;
    outcome
}

async fn on_many_processes(args: &Args, ending: &Ending) -> Result<ExitCode> {
    let (data, _scratch) = folder(args)?;
    let wanted = Wanted {
        data,
        free_ports: args.ports == up::Ports::Free,
        admin_email: args.admin_email.clone(),
        consul: find_consul(args.consul.clone())?,
    };
    eprintln!("starting the servers and the processes …");
    let platform = ending.patiently(Distributed::start(&wanted, &ending.asked)).await?;
    eprintln!("it is ready at {}; playing {} orders in real time …", platform.url(), args.orders);
    let playing = async {
        let backstage = platform.backstage(args.admin_email())?;
        let mut summary = demo::play(&backstage, args.script()).await?;
        examine(&mut summary, &Databases::of_folder(platform.folder.path()).open()?).await?;
        tell(&summary, args)
    };
    let mut outcome = ending.unless_asked(playing, BROKEN_OFF).await;
    if outcome.is_ok() && !args.exit {
        outcome = up::print_distributed(&platform).and(outcome);
        ending.asked.cancelled().await;
    }
    let stopping = async {
        platform.stop().await;
        Ok(())
    };
    ending.patiently(stopping).await?;
    outcome
}

async fn on_platform(args: &Args, platform: &Platform) -> Result<ExitCode> {
    let backstage = platform.backstage(args.admin_email())?;
    let mut summary = demo::play(&backstage, args.script()).await?;
    examine(&mut summary, &platform.databases()).await?;
    tell(&summary, args)
}

impl Args {
    fn script(&self) -> Script {
        Script { orders: self.orders, seed: self.seed }
    }

    fn admin_email(&self) -> Option<&str> {
        self.admin_email.as_deref()
    }
}

/// The invariants that each proof stands on.
const STOCK: [&str; 4] = [
    "stock_is_its_ledger",
    "reservations_follow_their_orders",
    "claims_are_returns",
    "units_have_one_disposition",
];
const SAGAS: [&str; 3] = ["sagas_end_or_wait", "deadlines_have_tasks", "refunds_are_counted"];

/// Adds what only the databases show: the traffic, and the proofs.
pub async fn examine(summary: &mut Summary, databases: &[(Service, PgPool)]) -> Result<()> {
    let mut traffic = Traffic::default();
    let (mut gaps, mut changes) = (Vec::new(), Vec::new());
    let mut broken = std::collections::BTreeMap::<&str, i64>::new();
    for (service, db) in databases {
        let own = operate::traffic(db).await?;
        traffic.published += own.published;
        traffic.consumed += own.consumed;
        traffic.dead += own.dead;
        for finding in journal::verify(db).await?.findings {
            if finding.is_gap() { gaps.push(finding) } else { changes.push(finding) }
        }
        for invariant in service.invariants {
            *broken.entry(invariant.name).or_default() += operate::violations(db, invariant).await?;
        }
    }
    let proof = |names: &[&str]| {
        let failing: Vec<String> = names
            .iter()
            .filter_map(|name| match broken.get(name) {
                Some(0) => None,
                Some(count) => Some(format!("{count} rows break {name}")),
                None => Some(format!("no service states {name}")),
            })
            .collect();
        if failing.is_empty() { "ok".to_owned() } else { failing.join("; ") }
    };
    let whole = |findings: &[journal::Finding]| {
        if findings.is_empty() {
            "ok".to_owned()
        } else {
            format!("{} findings, such as {:?}", findings.len(), findings[0])
        }
    };
    summary.events = Some(traffic);
    summary.proofs = Some(Proofs {
        stock: proof(&STOCK),
        sagas: proof(&SAGAS),
        journal: whole(&gaps),
        audit: whole(&changes),
    });
    Ok(())
}

fn tell(summary: &Summary, args: &Args) -> Result<ExitCode> {
    say!("{summary}")?;
    if let Some(file) = &args.json {
        std::fs::write(file, serde_json::to_string_pretty(summary)? + "\n")
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    if summary.proofs.as_ref().is_some_and(|proofs| !proofs.hold()) {
        bail!("a proof failed");
    }
    Ok(ExitCode::SUCCESS)
}
