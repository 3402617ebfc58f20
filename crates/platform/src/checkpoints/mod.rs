//! Signed checkpoints of the journal, outside the database: who can rewrite a journal with all its hashes cannot rewrite
//! what was signed of it before.
//!
//! A checkpoint names the heads of the chains that have grown since the one before it, so that each chain's head is in some
//! of them. They go, a line each, to the end of a file of the service, in a folder that the database's owner does not reach;
//! nothing there is ever changed. The key that signs them is known to the process only; verifying takes its public half.

mod line;
mod verify;

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{SigningKey, VerifyingKey};
use jiff::SignedDuration;
use jiff_sqlx::ToSqlx;
use quenty_kernel::{clock::wall_now, hex};
use sqlx::PgConnection;

use self::line::{Checkpoint, End, Head, Line, digest};
pub use self::verify::{Checked, verify};
use crate::{App, Error, Result, settings::Settings};

/// A line stays below [`TAIL`].
const HEADS_A_LINE: usize = 500;
/// Its database may be away.
const LIMIT: Duration = Duration::from_secs(10);
/// What is read of a file's end to find its last line.
const TAIL: u64 = 256 * 1024;
/// An entry is numbered a moment before its transaction commits. So what is younger than this is looked at once more.
const SETTLED_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// Where the checkpoints of a service go, and who signs them.
#[derive(Clone)]
pub(crate) struct Checkpoints {
    file: PathBuf,
    key: SigningKey,
    every: Duration,
}

impl Checkpoints {
    /// Nothing where the settings name no folder.
    ///
    /// # Errors
    /// When there is no key, or a setting cannot be meant.
    pub(crate) fn of(settings: &Settings, service: &str) -> Result<Option<Self>> {
        let Some(folder) = settings.get("audit_dir") else { return Ok(None) };
        let key = settings.require("audit_key").map_err(Error::internal)?;
        let seconds = settings.parse::<u64>("audit_checkpoint_seconds").map_err(Error::internal)?;
        Ok(Some(Self {
            file: file_of(Path::new(folder), service),
            key: signing_key(key)
                .ok_or_else(|| Error::internal("QUENTY_AUDIT_KEY is not 32 bytes in base64"))?,
            every: Duration::from_secs(seconds.max(1)),
        }))
    }

    /// Writes as long as the service runs: at its start, since the one before it may have been killed, and regularly.
    pub(crate) async fn run(self, app: App) {
        while !app.stopping().is_cancelled() {
            self.write(&app).await;
            tokio::select! {
                () = app.stopping().cancelled() => {}
                () = tokio::time::sleep(self.every) => {}
            }
        }
    }

    /// Signs what was written since the last time. What fails is made up for by the next time.
    pub(crate) async fn write(&self, app: &App) {
        let written = tokio::time::timeout(LIMIT, self.take(app)).await;
        match written.unwrap_or_else(|_| Err(Error::internal(format!("not within {LIMIT:?}")))) {
            Ok(lines) => {
                metrics::counter!("quenty_audit_checkpoints_total", "service" => app.name()).increment(lines);
            }
            Err(error) => {
                metrics::counter!("quenty_audit_checkpoint_failures_total", "service" => app.name())
                    .increment(1);
                tracing::error!(service = app.name(), file = %self.file.display(), %error, "the journal has no new checkpoint");
            }
        }
    }

    /// How many lines that took.
    async fn take(&self, app: &App) -> Result<u64> {
        let path = self.file.clone();
        // The lock goes with the file: replicas that share a folder take turns, each going on from the other's last line.
        let (file, end) = off_the_runtime(move || open(&path)).await?;
        let lines = self.new_lines(app, end).await?;
        let count = lines.len() as u64;
        off_the_runtime(move || append(&file, &lines)).await?;
        Ok(count)
    }

    /// The lines that follow `end`, of one moment of the journal.
    async fn new_lines(&self, app: &App, mut end: End) -> Result<Vec<String>> {
        let (now, since) = (wall_now(), end.up_to);
        let mut tx = app.db().begin_with("begin isolation level repeatable read, read only").await?;
        let up_to = sqlx::query_scalar!(
            "select max(seq) from quenty.journal where seq > $1 and recorded_at <= $2",
            since,
            (now - SETTLED_AFTER).to_sqlx() as _
        )
        .fetch_one(&mut *tx)
        .await?
        .unwrap_or(since);
        let heads = grown(&mut tx, since).await?;
        tx.rollback().await?;
        let mut lines = Vec::new();
        let mut chunks = heads.chunks(HEADS_A_LINE).peekable();
        while let Some(heads) = chunks.next() {
            let checkpoint = Checkpoint {
                service: app.name().to_owned(),
                number: end.number + 1,
                previous: end.digest,
                made_at: now,
                // Only once all is there: who is killed between two lines begins this moment anew.
                up_to: if chunks.peek().is_none() { up_to } else { since },
                heads: heads.to_vec(),
            };
            let line = checkpoint.sign(&self.key)?;
            end = End { number: checkpoint.number, digest: digest(&line), up_to: checkpoint.up_to };
            lines.push(line);
        }
        Ok(lines)
    }
}

/// The checkpoints of a service, in the folder of all.
#[must_use]
pub fn file_of(folder: &Path, service: &str) -> PathBuf {
    folder.join(format!("{service}.checkpoints"))
}

/// 32 bytes in base64, as `openssl rand -base64 32` makes them.
fn signing_key(text: &str) -> Option<SigningKey> {
    let bytes: [u8; 32] = STANDARD.decode(text.trim()).ok()?.try_into().ok()?;
    Some(SigningKey::from_bytes(&bytes))
}

/// What a key's signatures are verified by, in base64; nothing if it is no key.
#[must_use]
pub fn public_half(key: &str) -> Option<String> {
    Some(STANDARD.encode(signing_key(key)?.verifying_key().as_bytes()))
}

fn public_key(text: &str) -> Option<VerifyingKey> {
    let bytes: [u8; 32] = STANDARD.decode(text.trim()).ok()?.try_into().ok()?;
    VerifyingKey::from_bytes(&bytes).ok()
}

/// The heads of the streams that have entries after this one; of all streams, after none.
async fn grown(connection: &mut PgConnection, since: i64) -> Result<Vec<Head>> {
    let rows = sqlx::query!(
        "select stream, version, hash from quenty.stream_heads
         where $1 = 0::bigint or stream in (select stream from quenty.journal where seq > $1)",
        since
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| Head(row.stream, row.version, hex(row.hash))).collect())
}

/// The file, made if need be, locked, and where it ends.
fn open(path: &Path) -> io::Result<(File, End)> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    file.lock()?;
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    if tail.last().is_some_and(|byte| *byte != b'\n') {
        // Whoever wrote it was killed meanwhile. The half of a line stays, on a line of its own.
        file.write_all(b"\n")?;
    }
    let tail = String::from_utf8_lossy(&tail);
    match tail.lines().rev().find_map(Line::read) {
        Some(line) => Ok((file, line.end())),
        None if size <= TAIL => Ok((file, End::default())),
        None => {
            Err(io::Error::other("its end holds no checkpoint: it is damaged, and nothing is added to it"))
        }
    }
}

fn append(mut file: &File, lines: &[String]) -> io::Result<()> {
    for line in lines {
        file.write_all(format!("{line}\n").as_bytes())?;
    }
    if lines.is_empty() { Ok(()) } else { file.sync_all() }
}

async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?.map_err(Error::internal)
}
