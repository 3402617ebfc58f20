//! Writes the metadata of the checked queries (`.sqlx/` in each crate), so that a build needs no database.
//!
//! Starts a private PostgreSQL, lays each crate's migrations into a database of its own, and lets the
//! compiler ask it about every query.

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, ensure};
use quenty_testkit::{scratch_dir::ScratchDir, shared::start_postgres};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::own_package_variables;

const PLATFORM: &str = "crates/platform";

#[derive(clap::Args)]
pub struct Args {
    /// Only these crates, such as `order`; all when none is named
    crates: Vec<String>,
}

pub fn run(root: &Path, args: &Args) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let folder = ScratchDir::new("quenty-sqlx-prepare")?;
        let server = start_postgres(folder.path()).await?;
        for dir in checked_crates(root)? {
            let name =
                dir.file_name().and_then(|n| n.to_str()).context("a crate folder has a name")?.to_owned();
            if args.crates.is_empty() || args.crates.contains(&name) {
                let database = format!("prepare_{name}");
                lay_migrations(root, &dir, &database, |db| server.superuser_url(db)).await?;
                prepare(root, &dir, &name, &server.superuser_url(&database))?;
            }
        }
        server.stop().await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// The crates with checked queries: those that have a `sqlx.toml`.
fn checked_crates(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = vec![root.join(PLATFORM)];
    for entry in std::fs::read_dir(root.join("services"))? {
        let dir = entry?.path();
        if dir.join("sqlx.toml").exists() {
            found.push(dir);
        }
    }
    found.sort();
    Ok(found)
}

async fn lay_migrations(root: &Path, dir: &Path, database: &str, url: impl Fn(&str) -> String) -> Result<()> {
    let mut admin = PgConnection::connect(&url("postgres")).await?;
    sqlx::raw_sql(AssertSqlSafe(format!("create database {database}"))).execute(&mut admin).await?;
    let mut connection = PgConnection::connect(&url(database)).await?;
    sqlx::raw_sql("create schema quenty").execute(&mut connection).await?;
    let mut files = migrations(&root.join(PLATFORM))?;
    if dir != root.join(PLATFORM) {
        files.extend(migrations(dir)?);
    }
    for file in files {
        let sql = std::fs::read_to_string(&file)?;
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut connection)
            .await
            .with_context(|| format!("{}", file.display()))?;
    }
    Ok(())
}

fn migrations(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir.join("migrations"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    files.sort();
    Ok(files)
}

#[expect(clippy::disallowed_methods, reason = "a file's time is the wall clock's")]
fn now() -> std::time::SystemTime {
    std::time::SystemTime::now()
}

fn prepare(root: &Path, dir: &Path, name: &str, database_url: &str) -> Result<()> {
    let (metadata, fresh) = (dir.join(".sqlx"), dir.join(".sqlx.new"));
    remove(&fresh)?;
    std::fs::create_dir(&fresh)?;
    let check = || {
        let mut command = Command::new("cargo");
        command.current_dir(root).args(["check", "--quiet", "--package", &format!("quenty-{name}")]);
        for name in own_package_variables() {
            command.env_remove(name);
        }
        command.env(format!("{}_DATABASE_URL", name.to_uppercase()), database_url);
        command
    };
    // What it depends on is compiled first, or its queries would be written here, too.
    ensure!(check().status()?.success(), "quenty-{name} does not compile");
    // The macros run only when the crate is compiled.
    let lib = dir.join("src/lib.rs");
    std::fs::File::options()
        .append(true)
        .open(&lib)?
        .set_times(std::fs::FileTimes::new().set_modified(now()))?;
    let status = check().env("SQLX_OFFLINE_DIR", &fresh).status()?;
    ensure!(status.success(), "quenty-{name} does not compile");
    remove(&metadata)?;
    std::fs::rename(&fresh, &metadata)?;
    println!("{name}: {} queries", std::fs::read_dir(&metadata)?.count());
    Ok(())
}

fn remove(folder: &Path) -> std::io::Result<()> {
    if folder.exists() { std::fs::remove_dir_all(folder) } else { Ok(()) }
}
