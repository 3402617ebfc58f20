//! Comparing a journal with what was signed of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{BufRead, BufReader, ErrorKind},
    path::Path,
};

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use quenty_kernel::hex;
use serde::Serialize;
use sqlx::PgPool;

use super::{
    file_of,
    line::{Checkpoint, End, Head, Line},
    public_key,
};
use crate::{Error, Result};

/// An entry that no checkpoint covers though it is so old: checkpoints have stopped, or the file has lost its end.
const LATE_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// What the checkpoints of a service say.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Checked {
    pub checkpoints: u64,
    pub last_at: Option<Timestamp>,
    pub findings: Vec<String>,
}

/// Compares the journal of a service with each of its checkpoints, and these with one another. `trusted` are public
/// keys in base64: the one that signs, and those that have signed before it.
///
/// # Errors
/// When a key is none, or the database or the file cannot be read.
pub async fn verify(
    db: &PgPool,
    folder: &Path,
    service: &str,
    trusted: &[String],
    now: Timestamp,
) -> Result<Checked> {
    let key =
        |text: &String| public_key(text).ok_or_else(|| Error::internal(format!("{text:?} is no public key")));
    let trusted = trusted.iter().map(key).collect::<Result<Vec<_>>>()?;
    let path = file_of(folder, service);
    let mut found = Checked::default();
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            found
                .findings
                .push(format!("{} is missing: nothing shows what was signed before", path.display()));
            return Ok(found);
        }
        Err(error) => return Err(Error::internal(format!("cannot read {}: {error}", path.display()))),
    };
    let (mut end, mut told, mut signed) = (End::default(), BTreeSet::new(), BTreeMap::new());
    let (mut up_to, mut made_at) = (0, Timestamp::UNIX_EPOCH);
    for text in BufReader::new(file).lines() {
        let text =
            text.map_err(|error| Error::internal(format!("cannot read {}: {error}", path.display())))?;
        // Half a line is what a killed process leaves. One that is lost here is missed by the next.
        let Some(line) = Line::read(&text) else { continue };
        let checkpoint = &line.checkpoint;
        if checkpoint.service != service
            || checkpoint.number != end.number + 1
            || checkpoint.previous != end.digest
        {
            found.findings.push(format!(
                "checkpoint {} does not follow checkpoint {}: some are missing, or were exchanged",
                checkpoint.number, end.number
            ));
        }
        end = line.end();
        if !line.is_signed_by(&trusted) {
            found
                .findings
                .push(format!("checkpoint {} is signed by no key that is trusted", checkpoint.number));
            continue;
        }
        found.checkpoints += 1;
        (up_to, made_at) = (checkpoint.up_to, checkpoint.made_at);
        found.last_at = Some(made_at);
        compare(db, checkpoint, &mut told, &mut found.findings).await?;
        signed.extend(line.checkpoint.heads.into_iter().map(|head| (head.0, head.1)));
    }
    find_what_was_put_in(db, up_to, &signed, &told, &mut found.findings).await?;
    if let Some(since) = unsigned_since(db, up_to, made_at, now - LATE_AFTER).await? {
        found.findings.push(format!(
            "what was written since {since} was never signed: checkpoints have stopped, or the last ones are lost"
        ));
    }
    Ok(found)
}

/// Each stream is told once, by the first checkpoint that it does not agree with.
async fn compare(
    db: &PgPool,
    checkpoint: &Checkpoint,
    told: &mut BTreeSet<String>,
    findings: &mut Vec<String>,
) -> Result<()> {
    let streams: Vec<String> = checkpoint.heads.iter().map(|head| head.0.clone()).collect();
    let versions: Vec<i64> = checkpoint.heads.iter().map(|head| head.1).collect();
    let hashes = sqlx::query_scalar!(
        "select j.hash as \"hash?\" from unnest($1::text[], $2::bigint[]) with ordinality as signed (stream, version, place)
         left join quenty.journal j on j.stream = signed.stream and j.stream_version = signed.version order by place",
        &streams,
        &versions
    )
    .fetch_all(db)
    .await?;
    for (Head(stream, version, signed), hash) in checkpoint.heads.iter().zip(hashes) {
        let what = match hash {
            Some(hash) if hex(&hash) == *signed => continue,
            Some(_) => "was rewritten",
            None => "was cut off",
        };
        if told.insert(stream.clone()) {
            findings.push(format!(
                "{stream} {what}: its version {version} is not what was signed at {}",
                checkpoint.made_at
            ));
        }
    }
    Ok(())
}

/// What has a number up to which everything was signed, and was not there then.
async fn find_what_was_put_in(
    db: &PgPool,
    up_to: i64,
    signed: &BTreeMap<String, i64>,
    told: &BTreeSet<String>,
    findings: &mut Vec<String>,
) -> Result<()> {
    let streams = sqlx::query!(
        "select stream, max(stream_version) as \"version!\" from quenty.journal where seq <= $1 group by stream order by stream",
        up_to
    )
    .fetch_all(db)
    .await?;
    for row in streams {
        let is_signed = signed.get(&row.stream).is_some_and(|version| row.version <= *version);
        if !is_signed && !told.contains(&row.stream) {
            findings.push(format!(
                "{} was put in: its version {} was not there when everything up to its number was signed",
                row.stream, row.version
            ));
        }
    }
    Ok(())
}

/// Since when entries that are older than `until` have been waiting for a signature.
async fn unsigned_since(
    db: &PgPool,
    up_to: i64,
    made_at: Timestamp,
    until: Timestamp,
) -> Result<Option<Timestamp>> {
    let since = sqlx::query_scalar!(
        "select min(recorded_at) as \"since?: jiff_sqlx::Timestamp\" from quenty.journal
         where seq > $1 and recorded_at > $2 and recorded_at < $3",
        up_to,
        made_at.to_sqlx() as _,
        until.to_sqlx() as _
    )
    .fetch_one(db)
    .await?;
    Ok(since.map(jiff_sqlx::Timestamp::to_jiff))
}
