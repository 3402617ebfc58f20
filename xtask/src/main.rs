//! The chores of the repository: what `make` and the gate call, and people may.

mod check_layers;
mod new_service;
#[cfg(test)]
mod security_tests;
mod sqlx_prepare;
mod with_servers;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

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
        #[arg(long, default_value = ROOT)]
        root: PathBuf,
    },
    /// Write a new service: the skeleton that all share, and its place in every list
    NewService(new_service::Args),
    /// Write the metadata of the checked SQL queries, so that a build needs no database
    SqlxPrepare(sqlx_prepare::Args),
    /// Run a command beside a private PostgreSQL and RabbitMQ, named in its environment, and stop them after it
    WithServers(with_servers::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().chore {
        Chore::CheckLayers { root } => check_layers::run(&root),
        Chore::NewService(args) => new_service::run(ROOT.as_ref(), &args),
        Chore::SqlxPrepare(args) => sqlx_prepare::run(ROOT.as_ref(), &args),
        Chore::WithServers(args) => with_servers::run(&args),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

/// By these `cargo run` tells a program which package it is. A cargo that we run must not see them: a build script
/// that watches them (ring's does) would run again, and nearly everything would be compiled anew.
fn own_package_variables() -> impl Iterator<Item = OsString> {
    std::env::vars_os().map(|(name, _)| name).filter(|name| {
        let name = name.to_string_lossy();
        name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
    })
}
