//! The journal: append-only, one hash chain per stream (design/architecture.md, "One transaction").
//!
//! A link is SHA-256 over the previous link and the RFC 8785 canonical form of what was written.
//! Personal data stand beside the chain; it holds only their salted digest.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::{Actor, Cursor, Fact, Page, PageQuery, Scope, hex, id::CompanyId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{Error, Result};

/// The link before the first one.
pub const GENESIS: [u8; 32] = [0; 32];

/// What the hash of an entry stands on.
pub(crate) struct Sealed<'a> {
    pub id: Uuid,
    pub stream: &'a str,
    pub stream_version: i64,
    pub kind: &'a str,
    pub data: &'a Value,
    pub personal_digest: Option<[u8; 32]>,
    pub actor: &'a str,
    pub company_id: Option<Uuid>,
    pub correlation_id: Uuid,
    pub causation_id: Option<Uuid>,
    pub traceparent: Option<&'a str>,
    pub occurred_at: Timestamp,
    pub recorded_at: Timestamp,
}

impl Sealed<'_> {
    /// The entry's link of the chain.
    pub(crate) fn link(&self, previous: &[u8]) -> Result<[u8; 32]> {
        let canonical = serde_json_canonicalizer::to_vec(&json!({
            "id": self.id, "stream": self.stream, "stream_version": self.stream_version.to_string(), "type": self.kind,
            "data": self.data, "personal_digest": self.personal_digest.map(hex), "actor": self.actor,
            "company_id": self.company_id, "correlation_id": self.correlation_id, "causation_id": self.causation_id,
            "traceparent": self.traceparent, "occurred_at": self.occurred_at, "recorded_at": self.recorded_at,
        }))?;
        Ok(Sha256::new().chain_update(previous).chain_update(canonical).finalize().into())
    }
}

/// The salted digest that the chain holds in place of personal data.
pub(crate) fn personal_digest(salt: &[u8], data: &Value) -> Result<[u8; 32]> {
    Ok(Sha256::new()
        .chain_update(salt)
        .chain_update(serde_json_canonicalizer::to_vec(data)?)
        .finalize()
        .into())
}

/// Takes the named fields out of a fact's data.
pub(crate) fn split_personal(data: &mut Value, fields: &[&str]) -> Option<Value> {
    let object = data.as_object_mut()?;
    let taken: Map<String, Value> = fields.iter().filter_map(|field| object.remove_entry(*field)).collect();
    (!taken.is_empty()).then_some(Value::Object(taken))
}

/// Puts personal data back into a fact's data; what was erased stays away.
pub(crate) fn joined(mut data: Value, personal: Option<Value>) -> Value {
    if let (Some(object), Some(Value::Object(personal))) = (data.as_object_mut(), personal) {
        object.extend(personal);
    }
    data
}

/// One entry of the journal, personal data joined back where they have not been erased.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Entry {
    pub id: Uuid,
    pub stream: String,
    pub stream_version: i64,
    #[serde(rename = "type")]
    pub kind: String,
    pub data: Value,
    #[schema(value_type = String)]
    pub actor: Actor,
    pub company_id: Option<CompanyId>,
    pub correlation_id: Uuid,
    pub causation_id: Option<Uuid>,
    pub occurred_at: Timestamp,
}

/// An entry as the tables hold it.
pub(crate) struct EntryRow {
    pub(crate) id: Uuid,
    pub(crate) stream: String,
    pub(crate) stream_version: i64,
    pub(crate) kind: String,
    pub(crate) data: Value,
    pub(crate) personal: Option<Value>,
    pub(crate) actor: String,
    pub(crate) company_id: Option<Uuid>,
    pub(crate) correlation_id: Uuid,
    pub(crate) causation_id: Option<Uuid>,
    pub(crate) occurred_at: jiff_sqlx::Timestamp,
}

impl TryFrom<EntryRow> for Entry {
    type Error = Error;
    fn try_from(row: EntryRow) -> Result<Self> {
        Ok(Self {
            id: row.id,
            stream: row.stream,
            stream_version: row.stream_version,
            kind: row.kind,
            data: joined(row.data, row.personal),
            actor: row.actor.parse().map_err(Error::internal)?,
            company_id: row.company_id.map(CompanyId::from_uuid),
            correlation_id: row.correlation_id,
            causation_id: row.causation_id,
            occurred_at: row.occurred_at.to_jiff(),
        })
    }
}

/// The entries of one stream in order, up to the last one of `as_of` if given (business time). An earlier one may have a
/// later time, since a transaction has that of its beginning: a history leaves nothing out in the middle.
///
/// # Errors
/// When the database cannot be read.
pub async fn entries(
    db: &PgPool,
    scope: Scope,
    stream: &str,
    as_of: Option<Timestamp>,
) -> Result<Vec<Entry>> {
    let rows = sqlx::query_as!(
        EntryRow,
        "select j.id, j.stream, j.stream_version, j.type as kind, j.data, p.data as \"personal?\", j.actor, j.company_id,
                j.correlation_id, j.causation_id, j.occurred_at
         from quenty.journal j left join quenty.journal_personal p on p.event_id = j.id
         where j.stream = $1 and ($2::uuid is null or j.company_id = $2)
           and ($3::timestamptz is null
                or j.stream_version <= (select max(k.stream_version) from quenty.journal k where k.stream = $1 and k.occurred_at <= $3))
         order by j.stream_version",
        stream,
        scope.company_uuid(),
        as_of.map(|t| t.to_sqlx()) as _
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Entry::try_from).collect()
}

/// A page of the entries of one stream, the earliest first.
///
/// # Errors
/// When the database cannot be read.
pub async fn page(db: &PgPool, scope: Scope, stream: &str, page: &PageQuery) -> Result<Page<Entry>> {
    let rows = sqlx::query_as!(
        EntryRow,
        "select j.id, j.stream, j.stream_version, j.type as kind, j.data, p.data as \"personal?\", j.actor, j.company_id,
                j.correlation_id, j.causation_id, j.occurred_at
         from quenty.journal j left join quenty.journal_personal p on p.event_id = j.id
         where j.stream = $1 and ($2::uuid is null or j.company_id = $2)
           and ($3::uuid is null
                or j.stream_version > (select k.stream_version from quenty.journal k where k.id = $3 and k.stream = $1))
         order by j.stream_version limit $4",
        stream,
        scope.company_uuid(),
        page.cursor.map(Cursor::uuid),
        page.fetch()
    )
    .fetch_all(db)
    .await?;
    let entries = rows.into_iter().map(Entry::try_from).collect::<Result<Vec<_>>>()?;
    Ok(Page::from_rows(entries, page, |entry| entry.id))
}

/// The facts of one stream, for folding an aggregate back together.
///
/// # Errors
/// When an entry cannot be read as one of the aggregate's facts.
pub async fn facts<F: Fact>(
    db: &PgPool,
    scope: Scope,
    stream: &str,
    as_of: Option<Timestamp>,
) -> Result<Vec<(F, Timestamp)>> {
    let entries = entries(db, scope, stream, as_of).await?;
    entries.into_iter().map(|entry| Ok((F::read(&entry.kind, entry.data)?, entry.occurred_at))).collect()
}

/// What is wrong with a chain, and where.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq, utoipa::ToSchema)]
pub struct Finding {
    pub stream: String,
    pub stream_version: i64,
    pub what: String,
}

const GAP: &str = "an entry is missing";
const NO_END: &str = "the end of the stream was removed or changed";

impl Finding {
    /// Whether entries are missing, in contrast to entries that are not what was written.
    #[must_use]
    pub fn is_gap(&self) -> bool {
        matches!(self.what.as_str(), GAP | NO_END)
    }
}

/// The outcome of verifying a journal, or a part of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Verification {
    pub streams: u64,
    pub entries: u64,
    pub findings: Vec<Finding>,
}

/// How many streams are read in one go: bounds memory on journals of any size.
const STREAMS_A_CHUNK: i64 = 200;

/// Walks every chain: a changed, missing, reordered or removed entry is a finding. What is written meanwhile is not
/// seen: each chunk of streams is read as it was at one moment.
///
/// # Errors
/// When the database cannot be read.
pub async fn verify(db: &PgPool) -> Result<Verification> {
    let mut outcome = Verification::default();
    let mut after = String::new();
    while let Some(last) = verify_part(db, &after, &mut outcome).await? {
        after = last;
    }
    Ok(outcome)
}

/// Walks the chains that follow `after` by name, a bounded number of them; the name of the last one, or `None` after the
/// last of all.
///
/// # Errors
/// When the database cannot be read.
pub async fn verify_part(db: &PgPool, after: &str, outcome: &mut Verification) -> Result<Option<String>> {
    let last = verify_chunk(db, after, outcome).await?;
    if last.is_none() {
        find_headless(db, outcome).await?;
    }
    Ok(last)
}

async fn find_headless(db: &PgPool, outcome: &mut Verification) -> Result<()> {
    let orphans = sqlx::query!(
        "select distinct j.stream from quenty.journal j where not exists (select from quenty.stream_heads h where h.stream = j.stream) limit 100"
    )
    .fetch_all(db)
    .await?;
    outcome.findings.extend(orphans.into_iter().map(|row| Finding {
        stream: row.stream,
        stream_version: 0,
        what: "the stream has entries but no head".to_owned(),
    }));
    Ok(())
}

struct Link {
    id: Uuid,
    stream: String,
    stream_version: i64,
    kind: String,
    data: Value,
    personal_digest: Option<Vec<u8>>,
    actor: String,
    company_id: Option<Uuid>,
    correlation_id: Uuid,
    causation_id: Option<Uuid>,
    traceparent: Option<String>,
    occurred_at: jiff_sqlx::Timestamp,
    recorded_at: jiff_sqlx::Timestamp,
    prev_hash: Vec<u8>,
    hash: Vec<u8>,
    salt: Option<Vec<u8>>,
    personal: Option<Value>,
    /// A fact says that it was stripped of personal data.
    erased: bool,
}

/// Verifies the streams that follow `after` by name; the name of the last of them, where more may follow.
async fn verify_chunk(db: &PgPool, after: &str, outcome: &mut Verification) -> Result<Option<String>> {
    let mut tx = db.begin_with("begin isolation level repeatable read, read only").await?;
    let heads = sqlx::query!(
        "select stream, version, hash from quenty.stream_heads where stream > $1 order by stream limit $2",
        after,
        STREAMS_A_CHUNK
    )
    .fetch_all(&mut *tx)
    .await?;
    let streams: Vec<String> = heads.iter().map(|head| head.stream.clone()).collect();
    let links = sqlx::query_as!(
        Link,
        "select j.id, j.stream, j.stream_version, j.type as kind, j.data, j.personal_digest, j.actor, j.company_id, j.correlation_id,
                j.causation_id, j.traceparent, j.occurred_at as \"occurred_at: jiff_sqlx::Timestamp\",
                j.recorded_at as \"recorded_at: jiff_sqlx::Timestamp\", j.prev_hash, j.hash, p.salt as \"salt?\", p.data as \"personal?\",
                case when p.salt = ''::bytea
                     then exists (select from quenty.journal e where e.type = 'quenty.journal.erased.v1' and e.data->'event_ids' ? j.id::text)
                     else false end as \"erased!\"
         from quenty.journal j left join quenty.journal_personal p on p.event_id = j.id
         where j.stream = any($1) order by j.stream_version",
        &streams
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.rollback().await?;
    let mut chains: HashMap<String, Vec<Link>> = HashMap::new();
    for link in links {
        chains.entry(link.stream.clone()).or_default().push(link);
    }
    for head in &heads {
        let chain = chains.remove(&head.stream).unwrap_or_default();
        verify_stream(&head.stream, head.version, &head.hash, &chain, outcome)?;
    }
    let may_be_more = i64::try_from(streams.len()).is_ok_and(|count| count == STREAMS_A_CHUNK);
    Ok(streams.into_iter().last().filter(|_| may_be_more))
}

fn verify_stream(
    stream: &str,
    version: i64,
    head: &[u8],
    chain: &[Link],
    outcome: &mut Verification,
) -> Result<()> {
    outcome.streams += 1;
    let mut previous = GENESIS.to_vec();
    let mut expected = 1;
    let mut findings = Vec::new();
    let mut find = |version: i64, what: &str| {
        findings.push(Finding { stream: stream.to_owned(), stream_version: version, what: what.to_owned() })
    };
    for row in chain {
        outcome.entries += 1;
        if row.stream_version != expected {
            find(expected, GAP);
            expected = row.stream_version;
        }
        expected += 1;
        if row.prev_hash != previous {
            find(row.stream_version, "the entry does not follow the one before it");
        }
        let sealed = Sealed {
            id: row.id,
            stream,
            stream_version: row.stream_version,
            kind: &row.kind,
            data: &row.data,
            personal_digest: row.personal_digest.as_deref().and_then(|d| d.try_into().ok()),
            actor: &row.actor,
            company_id: row.company_id,
            correlation_id: row.correlation_id,
            causation_id: row.causation_id,
            traceparent: row.traceparent.as_deref(),
            occurred_at: row.occurred_at.to_jiff(),
            recorded_at: row.recorded_at.to_jiff(),
        };
        if sealed.link(&row.prev_hash)?.as_slice() != row.hash {
            find(row.stream_version, "the entry was changed");
        }
        match (&row.personal_digest, &row.salt, &row.personal) {
            (Some(_), Some(salt), _) if salt.is_empty() && row.erased => {}
            (Some(_), Some(salt), _) if salt.is_empty() => {
                find(row.stream_version, "the personal data were erased and no erasure was recorded");
            }
            (Some(digest), Some(salt), Some(personal))
                if personal_digest(salt, personal)?.as_slice() != digest =>
            {
                find(row.stream_version, "the personal data were changed");
            }
            (Some(_), None, _) => {
                find(row.stream_version, "the personal data are missing and no erasure was recorded")
            }
            _ => {}
        }
        previous.clone_from(&row.hash);
    }
    if expected - 1 != version || previous != head {
        find(version, NO_END);
    }
    outcome.findings.append(&mut findings);
    Ok(())
}
