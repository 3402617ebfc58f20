//! Durable tasks: what needs the network or takes long is enqueued in the transaction that decides it, and
//! done outside any transaction under a lease (design/architecture.md, "tasks"). Deadlines are tasks whose
//! `due_at` is business time.

use std::time::Duration;

use jiff_sqlx::ToSqlx;
use quenty_kernel::{
    Actor,
    clock::wall_now,
    id::{CompanyId, new_uuid},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    App, Error, Result, Tx,
    db::in_time,
    pace::MAX_ATTEMPTS,
    span::{Span, SpanKind},
    trace,
    tx::Cause,
};

pub(crate) const LEASE: Duration = Duration::from_secs(60);
const RENEW_EVERY: Duration = Duration::from_secs(20);
const RENEW_LIMIT: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_secs(1);
const WORKERS: usize = 4;

/// A task that this worker holds the lease of.
#[derive(Debug, Clone)]
pub struct Claimed<P> {
    pub id: Uuid,
    pub key: String,
    pub payload: P,
    pub company_id: Option<CompanyId>,
    pub attempts: i32,
    lease: Uuid,
    correlation_id: Uuid,
    traceparent: Option<String>,
}

impl Claimed<Value> {
    pub(crate) fn read<P: DeserializeOwned>(self) -> Result<Claimed<P>> {
        Ok(Claimed {
            payload: serde_json::from_value(self.payload)?,
            id: self.id,
            key: self.key,
            company_id: self.company_id,
            attempts: self.attempts,
            lease: self.lease,
            correlation_id: self.correlation_id,
            traceparent: self.traceparent,
        })
    }
}

impl<P> Claimed<P> {
    /// Begins the transaction that brings the outcome back; it marks the task done, and fails if the lease is lost.
    ///
    /// # Errors
    /// When another worker has taken the task over.
    pub async fn begin(&self, app: &App) -> Result<Tx> {
        let cause = Cause {
            actor: Actor::System,
            correlation_id: self.correlation_id,
            causation_id: Some(self.id),
            traceparent: self.traceparent.clone(),
        };
        let mut tx = app.begin_as(cause).await?;
        let now = wall_now().to_sqlx();
        let done = sqlx::query!(
            "update quenty.tasks set status = 'done', lease_token = null, lease_until = null, error = null, updated_at = $3
             where id = $1 and lease_token = $2",
            self.id,
            self.lease,
            now as _
        )
        .execute(tx.conn())
        .await?;
        if done.rows_affected() == 0 {
            return Err(Error::internal("the lease of this task was lost"));
        }
        Ok(tx)
    }
}

/// Runs the workers of one service until the process is asked to end.
pub(crate) async fn run(app: App) {
    if app.service().tasks.is_empty() {
        return;
    }
    app.0.task_nudge.notify_one();
    let workers = futures_util::future::join_all((0..WORKERS).map(|_| worker(app.clone())));
    tokio::join!(workers, look_regularly(&app));
}

/// Tasks also fall due by themselves, and other processes enqueue some. One look finds out, whoever has time for it.
async fn look_regularly(app: &App) {
    while !app.stopping().is_cancelled() {
        tokio::select! {
            () = app.stopping().cancelled() => {}
            () = tokio::time::sleep(app.0.pace.poll(POLL)) => app.0.task_nudge.notify_one(),
        }
    }
}

/// Looks when it is nudged: where nothing is due, one look tells all of them.
async fn worker(app: App) {
    loop {
        tokio::select! {
            biased;
            () = app.stopping().cancelled() => return,
            () = app.0.task_nudge.notified() => {}
        }
        match in_time(claim(&app)).await {
            Ok(Some((kind, mut task))) => {
                // Another worker may find more at once.
                app.0.task_nudge.notify_one();
                let mut seen = Span::begin(app.name(), SpanKind::Internal, task.traceparent.as_deref());
                seen.name(|| format!("task {kind}"));
                let trace = seen.context();
                // What it brings back is of this piece of the trace.
                task.traceparent = Some(trace.to_string());
                let span = tracing::info_span!("task", service = app.name(), kind, id = %task.id, trace_id = trace.trace_id());
                trace::within(trace, span, perform(&app, &kind, task, &mut seen)).await;
                app.0.task_nudge.notify_one();
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(service = app.name(), %error, "a task worker paused"),
        }
    }
}

/// One of each: a task without a moment, one whose moment has come, one whose worker is gone; the oldest of them.
/// Kinds that this version does not know are for the replicas that do.
async fn claim(app: &App) -> Result<Option<(String, Claimed<Value>)>> {
    let lease = new_uuid();
    let (wall, business) = (wall_now(), app.clock().now());
    let known: Vec<String> = app.service().tasks.iter().map(|task| task.kind.to_owned()).collect();
    let row = sqlx::query!(
        "with ready as (
           select id, run_at as since from quenty.tasks
           where status = 'ready' and due_at is null and run_at <= $3 and kind = any($5) order by run_at limit 1 for update skip locked
         ), due as (
           select id, due_at as since from quenty.tasks
           where status = 'ready' and due_at <= $4 and run_at <= $3 and kind = any($5) order by due_at limit 1 for update skip locked
         ), abandoned as (
           select id, lease_until as since from quenty.tasks
           where status = 'running' and lease_until < $3 and kind = any($5) order by lease_until limit 1 for update skip locked
         ), oldest as (
           select id from (select * from ready union all select * from due union all select * from abandoned) as one_of_each order by since limit 1
         )
         update quenty.tasks t set status = 'running', lease_token = $1, lease_until = $2, attempts = attempts + 1, updated_at = $3
         from oldest where t.id = oldest.id
         returning t.id, kind, key, payload, company_id, attempts, correlation_id, traceparent",
        lease,
        (wall + LEASE).to_sqlx() as _,
        wall.to_sqlx() as _,
        business.to_sqlx() as _,
        &known
    )
    .fetch_optional(app.db())
    .await?;
    Ok(row.map(|row| {
        let task = Claimed {
            id: row.id,
            key: row.key,
            payload: row.payload,
            company_id: row.company_id.map(CompanyId::from_uuid),
            attempts: row.attempts,
            lease,
            correlation_id: row.correlation_id,
            traceparent: row.traceparent,
        };
        (row.kind, task)
    }))
}

async fn perform(app: &App, kind: &str, task: Claimed<Value>, seen: &mut Span) {
    let (id, lease, attempts) = (task.id, task.lease, task.attempts);
    let outcome = match app.service().tasks.iter().find(|known| known.kind == kind) {
        // Whoever had it before was killed each time, so that no outcome could be written.
        _ if attempts > MAX_ATTEMPTS => Err(Error::internal("its workers ended before it did")),
        None => Err(Error::internal(format!("no task of kind {kind} in this version"))),
        Some(known) => {
            let work = app.0.pace.one_try((known.run)(app.clone(), task));
            tokio::pin!(work);
            loop {
                tokio::select! {
                    outcome = &mut work => break outcome,
                    () = tokio::time::sleep(RENEW_EVERY) => renew(app, id, lease).await,
                }
            }
        }
    };
    let settled = match outcome {
        Ok(()) => in_time(settle(app, id, lease)).await,
        Err(error) => {
            let dead = attempts >= MAX_ATTEMPTS;
            tracing::warn!(service = app.name(), task = %id, kind, attempts, dead, %error, "a task failed");
            seen.fail(error.reason());
            let put_back = in_time(put_back(app, id, lease, attempts, &error)).await;
            if dead && put_back.is_ok() {
                metrics::counter!("quenty_tasks_dead_total", "service" => app.name()).increment(1);
            }
            put_back
        }
    };
    if let Err(error) = settled {
        tracing::warn!(service = app.name(), task = %id, kind, %error, "a task's outcome could not be written; its lease will run out");
    }
}

async fn renew(app: &App, id: Uuid, lease: Uuid) {
    let until = (wall_now() + LEASE).to_sqlx();
    let renewed = sqlx::query!(
        "update quenty.tasks set lease_until = $3 where id = $1 and lease_token = $2",
        id,
        lease,
        until as _
    )
    .execute(app.db());
    // The work stands still meanwhile.
    match tokio::time::timeout(RENEW_LIMIT, renewed).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            tracing::warn!(service = app.name(), task = %id, %error, "a lease could not be renewed")
        }
        Err(_) => {
            tracing::warn!(service = app.name(), task = %id, "the database does not answer; a lease could not be renewed")
        }
    }
}

/// For a task whose function had nothing to bring back.
async fn settle(app: &App, id: Uuid, lease: Uuid) -> Result<()> {
    let now = wall_now().to_sqlx();
    sqlx::query!("update quenty.tasks set status = 'done', lease_token = null, lease_until = null, error = null, updated_at = $3 where id = $1 and lease_token = $2", id, lease, now as _)
        .execute(app.db())
        .await?;
    Ok(())
}

async fn put_back(app: &App, id: Uuid, lease: Uuid, attempts: i32, error: &Error) -> Result<()> {
    let status = if attempts >= MAX_ATTEMPTS { "dead" } else { "ready" };
    let now = wall_now();
    sqlx::query!(
        "update quenty.tasks set status = $3, run_at = $4, error = $5, lease_token = null, lease_until = null, updated_at = $6 where id = $1 and lease_token = $2",
        id,
        lease,
        status,
        (now + app.0.pace.after(attempts)).to_sqlx() as _,
        error.to_string(),
        now.to_sqlx() as _
    )
    .execute(app.db())
    .await?;
    Ok(())
}
