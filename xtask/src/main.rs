//! The chores of the repository: what `make` and the gate call, and people may.

mod check_layers;
mod sqlx_prepare;
mod with_servers;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The chores of the repository")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Check that code stands in the layer where it belongs
    CheckLayers {
        /// The checkout to look at
        #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/.."))]
        root: PathBuf,
    },
    /// Write the metadata of the checked SQL queries, so that a build needs no database
    SqlxPrepare(sqlx_prepare::Args),
    /// Run a command beside a private PostgreSQL and RabbitMQ, named in its environment, and stop them after it
    WithServers(with_servers::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().chore {
        Chore::CheckLayers { root } => check_layers::run(&root),
        Chore::SqlxPrepare(args) => {
            sqlx_prepare::run(concat!(env!("CARGO_MANIFEST_DIR"), "/..").as_ref(), &args)
        }
        Chore::WithServers(args) => with_servers::run(&args),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
