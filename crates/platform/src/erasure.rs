//! Erasure of what is held about a person, as far as it is the same in every service: the journal, and what the chassis
//! itself keeps for a while. A service adds its own rows, and says what of a fact is not the person's (ADR 12).
//!
//! Must never tell in a fact or a log what it erased: ids and counts only.

use jiff_sqlx::ToSqlx;
use quenty_kernel::{
    Event,
    clock::wall_now,
    id::{CompanyId, TypedId},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Error, Result, Tx, inbox};

/// These facts were stripped of personal data. In the journal of each service, for its audit: what is stripped without
/// such a fact is a finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct JournalErased {
    event_ids: Vec<Uuid>,
}

impl Event for JournalErased {
    const TYPE: &'static str = "quenty.journal.erased.v1";
    const PUBLISHED: bool = false;
}

quenty_kernel::facts! {
    enum JournalFact { Erased(JournalErased) }
}

/// The personal data of one fact.
#[derive(Debug)]
pub struct Personal(Map<String, Value>);

impl Personal {
    /// Empties a field; one that the fact does not have stays away.
    pub fn clear(&mut self, field: &str) {
        self.put(field, Value::Null);
    }

    /// Puts something that is nobody's in a field's place.
    pub fn put(&mut self, field: &str, instead: impl Into<Value>) {
        if let Some(value) = self.0.get_mut(field) {
            *value = instead.into();
        }
    }

    /// Leaves of a field what is not the person's.
    ///
    /// # Errors
    /// When it is no `T`.
    pub fn leave<T: Serialize + DeserializeOwned>(&mut self, field: &str, of: fn(&T) -> T) -> Result<()> {
        if let Some(value) = self.0.get_mut(field).filter(|value| !value.is_null()) {
            *value = serde_json::to_value(of(&serde_json::from_value(value.take())?))?;
        }
        Ok(())
    }
}

/// What a service holds about a person beside its own rows.
#[derive(Debug, Clone)]
pub struct Traces {
    /// Its own streams, whose facts are stripped.
    pub streams: Vec<String>,
    /// By which other ids events of others, and answers that are kept for a while, speak of the person.
    pub about: Vec<String>,
    /// Of what older events are not taken in from here on ([`Tx::is_erased`]); held before.
    pub erased: Vec<Uuid>,
}

impl Tx {
    /// Whether a person, or an order or a return of theirs, is erased, so that what an older event tells of it is not taken
    /// in. If not, this transaction comes before the erasure: that one waits for its end, since it would not see what is
    /// not committed.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn is_erased(&mut self, id: impl TypedId) -> Result<bool> {
        sqlx::query!("select pg_advisory_xact_lock_shared(8, hashtext($1::uuid::text) & 1023)", id.uuid())
            .execute(self.conn())
            .await?;
        // A statement of its own: it sees what was committed while the lock was waited for.
        let erased = sqlx::query_scalar!(
            "select exists (select from quenty.erased where id = $1) as \"erased!\"",
            id.uuid()
        );
        Ok(erased.fetch_one(self.conn()).await?)
    }

    /// Lets nobody write anything about these until this transaction ends; before it is looked for what is held of them.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn hold_for_erasure(&mut self, ids: &[Uuid]) -> Result<()> {
        // PostgreSQL has room for so many locks and no more: at most 1,024 for one person, however much they bought. In
        // one order, because two erasures may want the same ones.
        sqlx::query!(
            "select pg_advisory_xact_lock(8, l.key)
             from (select distinct hashtext(id::text) & 1023 as key from unnest($1::uuid[]) as i(id) order by 1) l",
            ids
        )
        .fetch_all(self.conn())
        .await?;
        Ok(())
    }

    /// Strips the facts of these streams of all but what `leave` leaves of their personal data, and cleans kept answers.
    /// Done again, it finds nothing. Returns how many facts it stripped.
    ///
    /// # Errors
    /// As long as an event about the person is on its way out, waits to be taken in, or is dead: goods and money may hang
    /// on it, so a person replays or discards it. Whoever reacts comes again.
    pub async fn erase_personal(
        &mut self,
        request: impl TypedId,
        company: CompanyId,
        traces: &Traces,
        leave: impl Fn(&mut Personal) -> Result<()>,
    ) -> Result<u32> {
        let ids: Vec<String> = traces.streams.iter().chain(&traces.about).cloned().collect();
        let known = inbox::known(self.app());
        discard_unheard(self.conn(), &ids, &known, &request.to_string()).await?;
        if is_on_its_way(self.conn(), &traces.streams, &ids, &request.to_string()).await? {
            return Err(Error::internal("events about a person who is to be erased are still on their way"));
        }
        clean(self.conn(), &ids).await?;
        remember(self.conn(), &traces.erased).await?;
        let kept = sqlx::query!(
            "select p.event_id, p.data from quenty.journal_personal p join quenty.journal j on j.id = p.event_id
             where j.stream = any($1) and p.salt <> ''::bytea",
            &traces.streams
        )
        .fetch_all(self.conn())
        .await?;
        if kept.is_empty() {
            return Ok(0);
        }
        let (mut leftovers, mut event_ids) = (Vec::new(), Vec::new());
        for row in kept {
            let Value::Object(data) = row.data else { continue };
            let mut personal = Personal(data);
            leave(&mut personal)?;
            leftovers.push(json!({"event_id": row.event_id, "data": personal.0}));
            event_ids.push(row.event_id);
        }
        sqlx::query!("select quenty.erase_personal($1)", Value::Array(leftovers))
            .fetch_one(self.conn())
            .await?;
        let count = u32::try_from(event_ids.len()).map_err(Error::internal)?;
        self.record(request, Some(company), &JournalFact::from(JournalErased { event_ids }))?;
        Ok(count)
    }
}

/// What this version hears nothing of, because another one was here, would wait until it is forgotten, with what it says
/// of the person. What still waits is no business of ours: a newer process beside this one may be about to take it in.
async fn discard_unheard(
    connection: &mut PgConnection,
    ids: &[String],
    known: &[String],
    request: &str,
) -> Result<()> {
    sqlx::query!(
        "update quenty.inbox i set status = 'discarded', envelope = null, next_at = null, updated_at = $4
         where i.status = 'unheard' and i.type <> all($2) and i.stream <> $3
           and (i.stream = any($1) or exists (select from jsonb_each_text(i.envelope->'data') f where f.value = any($1)))",
        ids,
        known,
        request,
        wall_now().to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether an event could still bring back what is erased now. The request's own events are none of them.
async fn is_on_its_way(
    connection: &mut PgConnection,
    streams: &[String],
    ids: &[String],
    request: &str,
) -> Result<bool> {
    let moving = sqlx::query_scalar!(
        "select exists (select from quenty.outbox where stream = any($1))
             or exists (select from quenty.inbox i where i.status in ('waiting', 'unheard', 'dead') and i.stream <> $3
                        and (i.stream = any($2)
                             or exists (select from jsonb_each_text(i.envelope->'data') f where f.value = any($2)))) as \"moving!\"",
        streams,
        ids,
        request
    )
    .fetch_one(connection)
    .await?;
    Ok(moving)
}

/// An answer that is asked for once more says that it was given, and no more.
async fn clean(connection: &mut PgConnection, ids: &[String]) -> Result<()> {
    sqlx::query!("update quenty.idempotency set body = null where body->>'id' = any($1)", ids)
        .execute(connection)
        .await?;
    Ok(())
}

async fn remember(connection: &mut PgConnection, erased: &[Uuid]) -> Result<()> {
    sqlx::query!("insert into quenty.erased (id) select unnest($1::uuid[]) on conflict do nothing", erased)
        .execute(connection)
        .await?;
    Ok(())
}
