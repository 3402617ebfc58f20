//! One transaction: state, journal, outbox, tasks and the stored answer commit together or not at all.
//!
//! A command changes rows through [`Tx::conn`] and buffers facts with [`Tx::record`]; the commit writes
//! journal, stream heads, outbox and tasks in two statements.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::{
    Actor, Envelope, Fact,
    clock::wall_now,
    hex,
    id::{CompanyId, TypedId, new_uuid},
};
use rand::RngCore;
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection, Postgres, Transaction};
use uuid::Uuid;

use crate::{
    App, Error, Result,
    access::Reading,
    db::statement_timeout,
    http::{Answer, Caller},
    idempotency,
    journal::{GENESIS, Sealed, personal_digest, split_personal},
    time_left, trace,
};

/// Who and what causes the facts of a transaction.
#[derive(Debug, Clone)]
pub struct Cause {
    pub actor: Actor,
    pub correlation_id: Uuid,
    pub causation_id: Option<Uuid>,
    pub traceparent: Option<String>,
}

impl Cause {
    /// The platform itself: jobs, the command line.
    #[must_use]
    pub fn system() -> Self {
        Self {
            actor: Actor::System,
            correlation_id: new_uuid(),
            causation_id: None,
            traceparent: Some(trace::current().to_string()),
        }
    }
}

struct PendingFact {
    stream: String,
    subject: Uuid,
    company_id: Option<CompanyId>,
    kind: &'static str,
    published: bool,
    personal_fields: &'static [&'static str],
    data: Value,
}

struct PendingTask {
    kind: &'static str,
    key: String,
    payload: Value,
    due_at: Option<Timestamp>,
    company_id: Option<CompanyId>,
}

/// A transaction of one service. Dropped without [`Tx::commit`], it leaves nothing behind.
pub struct Tx {
    app: App,
    inner: Transaction<'static, Postgres>,
    cause: Cause,
    now: Timestamp,
    facts: Vec<PendingFact>,
    tasks: Vec<PendingTask>,
    once: Option<idempotency::Key>,
    /// What a request that records no fact was all the same: its answer shows what it might have changed.
    reading: Option<Reading>,
}

impl App {
    /// Begins the transaction of a request. If its `Idempotency-Key` was answered before, the error *is*
    /// that answer, so that `?` returns it.
    ///
    /// # Errors
    /// The stored answer; 409 while the same key is still running; 422 when its body differs.
    pub async fn begin(&self, caller: &Caller) -> Result<Tx> {
        let mut tx = self.begin_as(caller.cause()).await?;
        tx.reading = caller.reading();
        if let Some(key) = caller.idempotency_key(self) {
            if let Err(error) = idempotency::claim(tx.conn(), &key).await {
                // Waited for: a repeat sent at once must find the key free.
                tx.inner.rollback().await?;
                return Err(error);
            }
            tx.once = Some(key);
        }
        Ok(tx)
    }

    /// Begins a transaction that no request asked for.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn begin_as(&self, cause: Cause) -> Result<Tx> {
        let writer = &self.0.writer;
        let inner = match time_left::left() {
            // PostgreSQL gives up a statement, and what it locks, after as long as the request has left now. Each counts anew.
            Some(left) => {
                let limit = statement_timeout(left);
                let begin = format!("begin; set local statement_timeout = {limit}");
                writer.begin_with(AssertSqlSafe(begin)).await?
            }
            None => writer.begin().await?,
        };
        Ok(Tx {
            app: self.clone(),
            inner,
            cause,
            now: self.clock().now(),
            facts: Vec::new(),
            tasks: Vec::new(),
            once: None,
            reading: None,
        })
    }
}

impl Tx {
    /// For the store's statements.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.inner
    }

    /// The business time of this transaction; the same at every call.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.cause.actor
    }

    /// Names the actor once it is known: an operation without a token (login) finds out while it runs.
    pub fn act_as(&mut self, actor: Actor) {
        self.cause.actor = actor;
    }

    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Buffers a fact of the aggregate `stream`; it is in the journal, and published, once this commits.
    ///
    /// # Errors
    /// When the fact cannot be written as JSON.
    pub fn record<F: Fact>(
        &mut self,
        stream: impl TypedId,
        company: Option<CompanyId>,
        fact: &F,
    ) -> Result<()> {
        self.record_about(stream, stream.uuid(), company, fact)
    }

    /// As [`Tx::record`], for a fact whose personal data are those of `subject`, the person who may ask for erasure.
    ///
    /// # Errors
    /// When the fact cannot be written as JSON.
    pub fn record_about<F: Fact>(
        &mut self,
        stream: impl TypedId,
        subject: impl Into<Uuid>,
        company: Option<CompanyId>,
        fact: &F,
    ) -> Result<()> {
        self.facts.push(PendingFact {
            stream: stream.to_string(),
            subject: subject.into(),
            company_id: company,
            kind: fact.kind(),
            published: fact.published(),
            personal_fields: fact.personal(),
            data: fact.data()?,
        });
        Ok(())
    }

    /// Enqueues durable work that starts as soon as this commits; the same `(kind, key)` is enqueued once, ever.
    ///
    /// # Errors
    /// When the payload cannot be written as JSON.
    pub fn enqueue(
        &mut self,
        kind: &'static str,
        key: impl Into<String>,
        company: Option<CompanyId>,
        payload: &impl Serialize,
    ) -> Result<()> {
        self.push_task(kind, key.into(), None, company, payload)
    }

    /// As [`Tx::enqueue`], for work that starts at a moment of business time: deadlines and timers.
    ///
    /// # Errors
    /// When the payload cannot be written as JSON.
    pub fn schedule(
        &mut self,
        kind: &'static str,
        key: impl Into<String>,
        due_at: Timestamp,
        company: Option<CompanyId>,
        payload: &impl Serialize,
    ) -> Result<()> {
        self.push_task(kind, key.into(), Some(due_at), company, payload)
    }

    fn push_task(
        &mut self,
        kind: &'static str,
        key: String,
        due_at: Option<Timestamp>,
        company_id: Option<CompanyId>,
        payload: &impl Serialize,
    ) -> Result<()> {
        self.tasks.push(PendingTask {
            kind,
            key,
            payload: serde_json::to_value(payload)?,
            due_at,
            company_id,
        });
        Ok(())
    }

    /// Takes back a task that has not begun: a deadline that was met.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn cancel_task(&mut self, kind: &'static str, key: &str) -> Result<()> {
        self.tasks.retain(|task| !(task.kind == kind && task.key == key));
        let now = wall_now().to_sqlx();
        sqlx::query!("update quenty.tasks set status = 'cancelled', updated_at = $3 where kind = $1 and key = $2 and status = 'ready'", kind, key, now as _)
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// Commits and answers: the answer is stored under the request's idempotency key in the same transaction.
    ///
    /// # Errors
    /// When the commit fails; then nothing happened.
    pub async fn answer(mut self, answer: Answer) -> Result<Answer> {
        if let Some(key) = self.once.take() {
            idempotency::store(&mut self.inner, &key, &answer).await?;
        }
        self.commit().await?;
        Ok(answer)
    }

    /// Commits and refuses: what a refused attempt leaves behind, like a count of failures, stays.
    ///
    /// # Errors
    /// The refusal; when the commit fails that failure, and nothing happened.
    pub async fn refuse(self, why: impl Into<Error>) -> Result<Answer> {
        self.commit().await?;
        Err(why.into())
    }

    /// Commits. Only the edges call this (http, events, jobs, tasks), once.
    ///
    /// # Errors
    /// When the commit fails; then nothing happened.
    pub async fn commit(mut self) -> Result<()> {
        if self.facts.is_empty()
            && let Some(reading) = self.reading.take()
        {
            reading.record(&mut self).await?;
        }
        let has_facts = !self.facts.is_empty();
        let has_due_tasks = self.tasks.iter().any(|task| task.due_at.is_none_or(|due| due <= self.now));
        if has_facts {
            self.write_facts().await?;
        }
        if !self.tasks.is_empty() {
            self.write_tasks().await?;
        }
        self.inner.commit().await?;
        if has_facts {
            self.app.0.outbox_nudge.notify_one();
        }
        if has_due_tasks {
            self.app.0.task_nudge.notify_one();
        }
        Ok(())
    }

    /// Two round trips: lock the streams' heads in name order, then write everything with one statement.
    async fn write_facts(&mut self) -> Result<()> {
        let facts = std::mem::take(&mut self.facts);
        let mut streams: Vec<String> = facts.iter().map(|fact| fact.stream.clone()).collect();
        streams.sort_unstable();
        streams.dedup();
        let rows = sqlx::query!("select stream, version, hash from quenty.stream_heads where stream = any($1) order by stream for update", &streams)
            .fetch_all(&mut *self.inner)
            .await?;
        let mut heads: std::collections::BTreeMap<String, (i64, Vec<u8>)> =
            streams.into_iter().map(|stream| (stream, (0, GENESIS.to_vec()))).collect();
        for row in rows {
            heads.insert(row.stream, (row.version, row.hash));
        }

        let recorded_at = wall_now();
        let (mut journal, mut personal, mut outbox) = (Vec::new(), Vec::new(), Vec::new());
        for fact in facts {
            let head =
                heads.get_mut(&fact.stream).ok_or_else(|| Error::internal("a fact without a stream head"))?;
            self.write_fact(fact, head, recorded_at, &mut journal, &mut personal, &mut outbox)?;
        }
        let heads: Vec<Value> = heads
            .into_iter()
            .map(|(stream, (version, hash))| json!({"stream": stream, "version": version, "hash": hex(hash)}))
            .collect();
        sqlx::query!(
            "with j as (
               insert into quenty.journal (id, stream, stream_version, type, data, personal_digest, actor, company_id, correlation_id,
                                           causation_id, traceparent, occurred_at, recorded_at, prev_hash, hash)
               select id, stream, stream_version, type, data, decode(personal_digest, 'hex'), actor, company_id, correlation_id,
                      causation_id, traceparent, occurred_at, recorded_at, decode(prev_hash, 'hex'), decode(hash, 'hex')
               from jsonb_to_recordset($1) as r(id uuid, stream text, stream_version bigint, type text, data jsonb, personal_digest text,
                    actor text, company_id uuid, correlation_id uuid, causation_id uuid, traceparent text, occurred_at timestamptz,
                    recorded_at timestamptz, prev_hash text, hash text)
             ), p as (
               insert into quenty.journal_personal (event_id, subject, salt, data)
               select event_id, subject, decode(salt, 'hex'), data from jsonb_to_recordset($2) as r(event_id uuid, subject uuid, salt text, data jsonb)
             ), o as (
               insert into quenty.outbox (event_id, stream, stream_version, envelope, created_at)
               select event_id, stream, stream_version, envelope, created_at
               from jsonb_to_recordset($3) as r(event_id uuid, stream text, stream_version bigint, envelope jsonb, created_at timestamptz)
             )
             insert into quenty.stream_heads (stream, version, hash)
             select stream, version, decode(hash, 'hex') from jsonb_to_recordset($4) as r(stream text, version bigint, hash text)
             on conflict (stream) do update set version = excluded.version, hash = excluded.hash",
            Value::Array(journal),
            Value::Array(personal),
            Value::Array(outbox),
            Value::Array(heads)
        )
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    fn write_fact(
        &self,
        fact: PendingFact,
        head: &mut (i64, Vec<u8>),
        recorded_at: Timestamp,
        journal: &mut Vec<Value>,
        personal: &mut Vec<Value>,
        outbox: &mut Vec<Value>,
    ) -> Result<()> {
        let id = new_uuid();
        head.0 += 1;
        if fact.published {
            let envelope = self.envelope(id, &fact, head.0);
            outbox.push(json!({"event_id": id, "stream": fact.stream, "stream_version": head.0, "envelope": envelope, "created_at": recorded_at}));
        }
        let mut data = fact.data;
        let mut digest = None;
        if let Some(own) = split_personal(&mut data, fact.personal_fields) {
            let mut salt = [0_u8; 16];
            rand::rng().fill_bytes(&mut salt);
            digest = Some(personal_digest(&salt, &own)?);
            personal.push(json!({"event_id": id, "subject": fact.subject, "salt": hex(salt), "data": own}));
        }
        let actor = self.cause.actor.to_string();
        let sealed = Sealed {
            id,
            stream: &fact.stream,
            stream_version: head.0,
            kind: fact.kind,
            data: &data,
            personal_digest: digest,
            actor: &actor,
            company_id: fact.company_id.map(CompanyId::uuid),
            correlation_id: self.cause.correlation_id,
            causation_id: self.cause.causation_id,
            traceparent: self.cause.traceparent.as_deref(),
            occurred_at: self.now,
            recorded_at,
        };
        let link = sealed.link(&head.1)?;
        journal.push(json!({
            "id": id, "stream": fact.stream, "stream_version": head.0, "type": fact.kind, "data": data, "personal_digest": digest.map(hex),
            "actor": actor, "company_id": fact.company_id.map(CompanyId::uuid), "correlation_id": self.cause.correlation_id,
            "causation_id": self.cause.causation_id, "traceparent": self.cause.traceparent, "occurred_at": self.now,
            "recorded_at": recorded_at, "prev_hash": hex(&head.1), "hash": hex(link),
        }));
        head.1 = link.to_vec();
        Ok(())
    }

    fn envelope(&self, id: Uuid, fact: &PendingFact, stream_version: i64) -> Envelope {
        Envelope {
            specversion: "1.0".to_owned(),
            id,
            source: format!("/quenty/{}", self.app.name()),
            kind: fact.kind.to_owned(),
            subject: fact.stream.clone(),
            time: self.now,
            dataschema: format!("/schemas/{}.json", fact.kind),
            datacontenttype: "application/json".to_owned(),
            company_id: fact.company_id,
            actor: self.cause.actor.clone(),
            correlation_id: self.cause.correlation_id,
            causation_id: self.cause.causation_id,
            stream_version,
            traceparent: self.cause.traceparent.clone(),
            data: fact.data.clone(),
        }
    }

    async fn write_tasks(&mut self) -> Result<()> {
        let now = wall_now();
        let rows: Vec<Value> = std::mem::take(&mut self.tasks)
            .into_iter()
            .map(|task| {
                json!({
                    "id": new_uuid(), "kind": task.kind, "key": task.key, "payload": task.payload, "due_at": task.due_at, "now": now,
                    "company_id": task.company_id.map(CompanyId::uuid), "correlation_id": self.cause.correlation_id, "traceparent": self.cause.traceparent,
                })
            })
            .collect();
        sqlx::query!(
            "insert into quenty.tasks (id, kind, key, payload, status, due_at, run_at, company_id, correlation_id, traceparent, created_at, updated_at)
             select id, kind, key, payload, 'ready', due_at, now, company_id, correlation_id, traceparent, now, now
             from jsonb_to_recordset($1) as r(id uuid, kind text, key text, payload jsonb, due_at timestamptz, now timestamptz,
                  company_id uuid, correlation_id uuid, traceparent text)
             on conflict (kind, key) do nothing",
            Value::Array(rows)
        )
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }
}
