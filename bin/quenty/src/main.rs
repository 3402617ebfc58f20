//! `quenty`: the platform in one binary. `quenty up` runs all of it on this machine, `quenty serve` one
//! service of a distributed platform; the rest is for operators.

mod audit_key;
mod commands;
mod demo;
mod distributed;
mod embedded;
mod ending;
mod health;
mod import;
mod mails;
mod names;
mod output;
mod settings_check;

use std::{io, num::NonZeroUsize, process::ExitCode, thread};

use clap::{Parser, Subcommand};
use quenty_services as services;
use tokio::runtime::{Builder, Runtime};

#[derive(Parser)]
#[command(
    name = "quenty",
    version,
    about = "An open logistics platform: orders, pickups, shipments, door to door"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the whole platform in this process, or in many, on servers of its own
    Up(commands::up::Args),
    /// Run one service, or the gateway, configured by the environment
    Serve(commands::serve::Args),
    /// Bring databases up to date, as their owner
    Migrate(commands::migrate::Args),
    /// Check processes, databases, bus and invariants, and say what to do
    Doctor(commands::doctor::Args),
    /// List, show, replay or discard events and tasks that have given up
    DeadLetters(commands::dead_letters::Args),
    /// Verify the hash chains of the journals
    #[command(subcommand)]
    Audit(commands::audit::Command),
    /// Declare exchanges and queues of all services on RabbitMQ
    #[command(subcommand)]
    Topology(commands::topology::Command),
    /// Give a service that does not run what the others have published, from their journals
    Replay(commands::replay::Args),
    /// Print the OpenAPI document of one service, or write those of all
    Openapi(commands::openapi::Args),
    /// Play a week of a merchant in Bogotá, door to door, through the public API
    Demo(commands::demo::Args),
    /// Bring in your own orders
    #[command(subcommand)]
    Import(commands::import::Command),
    /// List the mails of an embedded platform
    Mail(commands::mail::Args),
    /// Make certificates by which the platform's processes know each other
    #[command(subcommand)]
    Certs(commands::certs::Command),
    /// Explain the configuration
    #[command(subcommand)]
    Config(commands::config::Command),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match runtime(&cli.command) {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(async {
        match cli.command {
            Command::Up(args) => commands::up::run(args).await,
            Command::Serve(args) => commands::serve::run(args).await,
            Command::Migrate(args) => commands::migrate::run(args).await,
            Command::Doctor(args) => commands::doctor::run(args).await,
            Command::DeadLetters(args) => commands::dead_letters::run(args).await,
            Command::Audit(command) => commands::audit::run(command).await,
            Command::Topology(command) => commands::topology::run(command).await,
            Command::Replay(args) => commands::replay::run(args).await,
            Command::Openapi(args) => commands::openapi::run(&args),
            Command::Demo(args) => commands::demo::run(args).await,
            Command::Import(command) => commands::import::run(command).await,
            Command::Mail(args) => commands::mail::run(&args),
            Command::Certs(command) => commands::certs::run(&command),
            Command::Config(command) => commands::config::run(&command),
        }
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    match outcome {
        Ok(code) => code,
        // As any tool that the signal of a broken pipe ends.
        Err(error) if output::nobody_reads(&error) => ExitCode::from(141),
        Err(error) => {
            output::tell!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// One thread needs no scheduler of several: a gateway with one core takes a quarter less of it
/// (`docs/adr/0020-what-a-request-costs-the-gateway.md`).
fn runtime(command: &Command) -> io::Result<Runtime> {
    let wanted = if let Command::Serve(args) = command { args.workers } else { None };
    let workers = wanted.or_else(|| thread::available_parallelism().ok());
    let mut builder = match workers.map_or(1, NonZeroUsize::get) {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    if let Some(workers) = wanted {
        builder.worker_threads(workers.get());
    }
    builder.enable_all().build()
}
