//! What can go wrong with the private server; each message says what to do.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

/// What is read of a log, and what is told of its end.
const QUOTED_BYTES: u64 = 8 * 1024;
const LAST_LINES: usize = 10;

#[derive(Debug, thiserror::Error)]
pub enum EmbeddedPostgresError {
    #[error(
        "postgresql {minimum} or newer is not installed{found}: run `apt-get install postgresql` as root \
         and start again"
    )]
    NotInstalled { minimum: u32, found: String },

    #[error(
        "the data folder {} was written by postgresql {folder}, and only {} is installed: run `apt-get install \
         postgresql-{folder}`, or dump it there with pg_dumpall and load it into a new folder",
        data_dir.display(), installed
    )]
    OtherMajorVersion { data_dir: PathBuf, folder: u32, installed: String },

    #[error(
        "the data folder {} is in use by process {pid}: stop that one, or choose another folder",
        data_dir.display()
    )]
    Held { data_dir: PathBuf, pid: String },

    #[error(
        "the folder {} holds other files and no database of quenty: choose an empty folder",
        data_dir.display()
    )]
    NotOurs { data_dir: PathBuf },

    #[error(
        "postgresql refuses to run as root, and there is no user `postgres`: run `apt-get install postgresql`, \
         or start as an ordinary user"
    )]
    NoAccount,

    #[error("the data folder {} belongs to user {owner}: start as that user", data_dir.display())]
    OtherOwner { data_dir: PathBuf, owner: String },

    #[error(
        "user {account} cannot enter {}, so postgresql cannot run below it: `chmod o+x` that folder, or choose a \
         data folder elsewhere, such as /var/lib/quenty",
        folder.display()
    )]
    Unreachable { account: String, folder: PathBuf },

    #[error(
        "the password file {} is missing: restore it from a backup, or move the data folder away to start empty",
        path.display()
    )]
    NoPassword { path: PathBuf },

    #[error("initdb failed: {output}")]
    Initdb { output: String },

    #[error("pg_basebackup failed: {output}")]
    Copy { output: String },

    #[error("postgresql did not start: {output} (see {})", log.display())]
    Start { log: PathBuf, output: String },

    #[error(
        "postgresql ended without being asked to ({how}): start again, what was committed is recovered; {} ends \
         with\n{output}",
        log.display()
    )]
    Ended { log: PathBuf, how: String, output: String },

    #[error("asked to end before postgresql was ready: it goes on at the next start")]
    GivenUp,

    #[error("no port is free on 127.0.0.1: close some connections and start again")]
    NoFreePort,

    #[error("postgresql did not stop: {reason}")]
    Stop { reason: String },

    #[error("cannot {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
}

pub(super) type Result<T> = std::result::Result<T, EmbeddedPostgresError>;

/// Turns an I/O error into one that names what was tried on which path.
pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> EmbeddedPostgresError {
    move |source| EmbeddedPostgresError::Io { action, path: path.to_owned(), source }
}

impl EmbeddedPostgresError {
    /// Quotes what the server wrote to its log since `from`.
    pub(super) fn start_from_log(log: &Path, from: u64) -> Self {
        let output = read_from(log, from).unwrap_or_else(|error| error.to_string());
        Self::Start { log: log.to_owned(), output: output.trim().to_owned() }
    }

    /// Quotes the last lines of the server's log.
    pub(super) fn ended_from_log(log: &Path, status: Option<ExitStatus>) -> Self {
        let how = status.map_or_else(|| "nobody can learn how".to_owned(), |status| status.to_string());
        let size = log.metadata().map_or(0, |metadata| metadata.len());
        let text =
            read_from(log, size.saturating_sub(QUOTED_BYTES)).unwrap_or_else(|error| error.to_string());
        let lines: Vec<_> = text.lines().rev().take(LAST_LINES).collect();
        let output = lines.into_iter().rev().collect::<Vec<_>>().join("\n");
        Self::Ended { log: log.to_owned(), how, output }
    }

    pub(super) fn is_port_taken(&self) -> bool {
        matches!(self, Self::Start { output, .. } if output.contains("Address already in use"))
    }
}

fn read_from(path: &Path, from: u64) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(QUOTED_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
