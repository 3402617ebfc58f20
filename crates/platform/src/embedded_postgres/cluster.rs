//! The database cluster on disk: how it is made, protected, and served.

use std::fs::{self, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rand::distr::{Alphanumeric, SampleString};

use super::account::Account;
use super::error::{EmbeddedPostgresError, Result, io};
use super::installation::Installation;
use super::replica::Primary;
use super::{Options, clean};
use crate::db::REPLICATION_ROLE;

pub(super) const SUPERUSER: &str = "postgres";
pub(super) const PGDATA: &str = "cluster";
const PASSWORD_FILE: &str = "superuser.password";
/// As libpq reads it: what a replica shows its primary.
const PASSWORDS_FILE: &str = "replication.pgpass";
/// `sun_path` of a Unix socket holds 108 bytes with the closing NUL.
const SOCKET_PATH_LIMIT: usize = 107;
const LONGEST_SOCKET_NAME: &str = "/.s.PGSQL.65535";

#[derive(Debug)]
pub(super) struct Cluster {
    data_dir: PathBuf,
    socket_dir: PathBuf,
    installation: Installation,
    account: Account,
    password: String,
}

/// The major version that wrote the folder; none when there is no cluster yet.
pub(super) fn major_version(data_dir: &Path) -> Result<Option<u32>> {
    let path = data_dir.join(PGDATA).join("PG_VERSION");
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).map_err(io("read", &path))?;
    let malformed = |error| io("read", &path)(std::io::Error::other(error));
    text.trim().parse().map(Some).map_err(malformed)
}

impl Cluster {
    /// Opens the cluster of the folder; makes it when there is none.
    pub(super) fn open(
        data_dir: &Path,
        installation: Installation,
        account: Account,
        options: &Options,
    ) -> Result<Self> {
        let password_file = data_dir.join(PASSWORD_FILE);
        let password = if data_dir.join(PGDATA).exists() {
            read_password(&password_file)?
        } else {
            let password = write_password(&password_file, &account)?;
            initdb(data_dir, &installation, &account, options.ephemeral)?;
            password
        };
        let socket_dir = socket_dir(data_dir, &account)?;
        Ok(Self { data_dir: data_dir.to_owned(), socket_dir, installation, account, password })
    }

    /// A copy of a running server, in place of whatever was in the folder, that follows it.
    pub(super) fn copy(
        data_dir: &Path,
        installation: Installation,
        account: Account,
        primary: &Primary,
    ) -> Result<Self> {
        let pgdata = data_dir.join(PGDATA);
        if pgdata.exists() {
            fs::remove_dir_all(&pgdata).map_err(io("remove", &pgdata))?;
        }
        account.make_private_dir(&pgdata)?;
        let passwords = data_dir.join(PASSWORDS_FILE);
        write_private(&passwords, &format!("*:*:*:{REPLICATION_ROLE}:{}", primary.password), &account)?;
        let mut command = Command::new(installation.bin.join("pg_basebackup"));
        clean(&mut command).arg("-D").arg(&pgdata).env("PGPASSFILE", &passwords);
        command.args(["-h", "127.0.0.1", "-p", &primary.port.to_string(), "-U", REPLICATION_ROLE]);
        // `-R` writes down how it is followed, with the file of passwords.
        command.args(["-R", "-X", "stream", "-c", "fast", "-w", "--no-sync"]);
        account.run_as(&mut command);
        let output = command.output().map_err(io("copy the primary to", data_dir))?;
        if !output.status.success() {
            let output = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(EmbeddedPostgresError::Copy { output });
        }
        let socket_dir = socket_dir(data_dir, &account)?;
        // Nobody asks a replica as its superuser.
        let password = String::new();
        Ok(Self { data_dir: data_dir.to_owned(), socket_dir, installation, account, password })
    }

    pub(super) fn pgdata(&self) -> PathBuf {
        self.data_dir.join(PGDATA)
    }

    pub(super) fn default_log(&self) -> PathBuf {
        self.data_dir.join("postgresql.log")
    }

    pub(super) fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    pub(super) fn superuser_password(&self) -> &str {
        &self.password
    }

    pub(super) fn server_command(&self, port: u16, options: &Options) -> Command {
        let mut command = Command::new(self.installation.bin.join("postgres"));
        clean(&mut command).arg("-D").arg(self.pgdata()).arg("-k").arg(&self.socket_dir);
        command.args(["-h", "127.0.0.1", "-p", &port.to_string()]);
        command.args(["-N", &options.max_connections.to_string()]);
        // The text of a failing statement may carry a password or a person's data into the log.
        for setting in
            ["log_min_error_statement=panic", "log_error_verbosity=terse", "jit=off", "logging_collector=off"]
        {
            command.args(["-c", setting]);
        }
        if options.ephemeral {
            // Nor does it live long enough for old rows to matter, but each database would be looked at again and again.
            for setting in ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off"] {
                command.args(["-c", setting]);
            }
        }
        if options.replicated {
            for setting in ["wal_keep_size=256MB", "hot_standby_feedback=on"] {
                command.args(["-c", setting]);
            }
        }
        self.account.run_as(&mut command);
        command
    }
}

/// What the server says of itself, the eighth line of its pid file: `starting`, `ready`, `standby` or `stopping`. A stale
/// file names another process.
pub(super) fn status(pgdata: &Path, pid: i32) -> Option<String> {
    let text = fs::read_to_string(pgdata.join("postmaster.pid")).ok()?;
    let mut lines = text.lines().map(str::trim);
    let own = lines.next() == Some(pid.to_string().as_str());
    lines.nth(6).filter(|_| own).map(str::to_owned)
}

/// Whether it follows another server.
pub(super) fn is_replica(pgdata: &Path) -> bool {
    pgdata.join("standby.signal").exists()
}

/// Works in a folder beside and renames it: a cluster that exists is a whole one.
fn initdb(data_dir: &Path, installation: &Installation, account: &Account, ephemeral: bool) -> Result<()> {
    let unfinished = data_dir.join("cluster.new");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(io("remove", &unfinished))?;
    }
    account.make_private_dir(&unfinished)?;
    let mut command = Command::new(installation.bin.join("initdb"));
    clean(&mut command).arg("-D").arg(&unfinished);
    command.arg("--pwfile").arg(data_dir.join(PASSWORD_FILE));
    // SCRAM hashes 4,096 times for every connection, and the server also where the password comes as it is: much
    // for a server that lives for a test.
    let method = if ephemeral { "md5" } else { "scram-sha-256" };
    command.args(["-U", SUPERUSER, "-A", method]);
    command.args(["-E", "UTF8", "--locale=C.UTF-8", "--no-instructions"]);
    command.arg(if ephemeral { "--no-sync" } else { "--data-checksums" });
    account.run_as(&mut command);
    let output = command.output().map_err(io("run initdb for", data_dir))?;
    if !output.status.success() {
        let output = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(EmbeddedPostgresError::Initdb { output });
    }
    let pgdata = data_dir.join(PGDATA);
    fs::rename(&unfinished, &pgdata).map_err(io("make", &pgdata))
}

fn write_password(path: &Path, account: &Account) -> Result<String> {
    let password = Alphanumeric.sample_string(&mut rand::rng(), 32);
    write_private(path, &password, account)?;
    Ok(password)
}

fn write_private(path: &Path, line: &str, account: &Account) -> Result<()> {
    if path.exists() {
        fs::remove_file(path).map_err(io("replace", path))?;
    }
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(io("write", path))?;
    writeln!(file, "{line}").and_then(|()| file.sync_all()).map_err(io("write", path))?;
    account.own(path)
}

fn read_password(path: &Path) -> Result<String> {
    if !path.exists() {
        return Err(EmbeddedPostgresError::NoPassword { path: path.to_owned() });
    }
    fs::read_to_string(path).map(|text| text.trim().to_owned()).map_err(io("read", path))
}

/// A folder for the socket whose path is short enough, and has no character that the setting would split at.
fn socket_dir(data_dir: &Path, account: &Account) -> Result<PathBuf> {
    let beside = data_dir.join("socket");
    let bytes = beside.as_os_str().as_bytes();
    let fits = bytes.len() + LONGEST_SOCKET_NAME.len() <= SOCKET_PATH_LIMIT;
    if fits && !bytes.iter().any(|byte| matches!(byte, b',' | b'"' | b' ')) {
        account.make_private_dir(&beside)?;
        return Ok(beside);
    }
    let mut hasher = DefaultHasher::new();
    data_dir.hash(&mut hasher);
    let elsewhere = PathBuf::from(format!("/tmp/quenty-postgres-{:016x}", hasher.finish()));
    refuse_planted_dir(&elsewhere, account)?;
    account.make_private_dir(&elsewhere)?;
    Ok(elsewhere)
}

/// Anyone can make folders and links in /tmp, and the name of ours can be guessed.
fn refuse_planted_dir(path: &Path, account: &Account) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() && account.is_owner_of(&metadata) => Ok(()),
        Ok(_) => Err(io("use", path)(std::io::Error::other("it belongs to someone else"))),
        Err(_) => Ok(()),
    }
}
