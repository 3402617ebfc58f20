//! The inbox: at-least-once delivery becomes exactly one effect, in the order of each stream, and an event
//! that fails for now holds up its own stream and nothing else (design/conventions.md, "Events").

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::{Actor, Envelope, Event, clock::wall_now, id::CompanyId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{App, Error, Result, bus::BusAway, pace::MAX_ATTEMPTS, service::Reaction, tx::Cause};

const RERUNS: u32 = 5;

/// An event as a reaction gets it.
#[derive(Debug, Clone)]
pub struct Received<E> {
    pub data: E,
    pub id: Uuid,
    /// When it happened, business time.
    pub time: Timestamp,
    /// The publishing aggregate's id as text.
    pub subject: String,
    pub company_id: Option<CompanyId>,
    pub actor: Actor,
}

impl<E: Event> Received<E> {
    pub(crate) fn read(envelope: Envelope) -> Result<Self> {
        let unreadable = |e: serde_json::Error| Error::internal(format!("cannot read {}: {e}", E::TYPE));
        Ok(Self {
            data: serde_json::from_value(envelope.data).map_err(unreadable)?,
            id: envelope.id,
            time: envelope.time,
            subject: envelope.subject,
            company_id: envelope.company_id,
            actor: envelope.actor,
        })
    }
}

impl<E> Received<E> {
    /// The company that the event belongs to.
    ///
    /// # Errors
    /// When it belongs to none, which its publisher promised not to do.
    pub fn company(&self) -> Result<CompanyId> {
        self.company_id.ok_or_else(|| Error::internal("the event names no company"))
    }
}

/// Stores an envelope and, unless its stream is held up, runs the reaction in the same transaction.
/// `Ok` means that the bus may forget it.
pub(crate) async fn deliver(app: &App, envelope: Envelope) -> Result<(), BusAway> {
    let Some(reaction) = app.service().reactions.iter().find(|r| r.kind == envelope.kind) else {
        return Ok(());
    };
    let outcome = react(app, reaction, &envelope, Mode::First).await;
    match outcome {
        Ok(done) => {
            if done {
                metrics::counter!("quenty_events_consumed_total", "service" => app.name()).increment(1);
            }
            Ok(())
        }
        Err(error) if error.is_database_away() => Err(BusAway::because(error)),
        Err(error) => store_failure(app, &envelope, &error).await.map_err(BusAway::because),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    First,
    Retry,
}

/// One transaction: stream lock, inbox row, reaction. Returns whether the reaction ran.
async fn react(app: &App, reaction: &Reaction, envelope: &Envelope, mode: Mode) -> Result<bool> {
    let mut runs = 0;
    loop {
        match react_once(app, reaction, envelope, mode).await {
            Err(error) if error.is_retryable() && runs < RERUNS => runs += 1,
            outcome => return outcome,
        }
    }
}

async fn react_once(app: &App, reaction: &Reaction, envelope: &Envelope, mode: Mode) -> Result<bool> {
    let cause = Cause {
        actor: Actor::Service(envelope.publisher().to_owned()),
        correlation_id: envelope.correlation_id,
        causation_id: Some(envelope.id),
        traceparent: envelope.traceparent.clone(),
    };
    let mut tx = app.begin_as(cause).await?;
    lock_stream(tx.conn(), &envelope.subject).await?;
    match mode {
        Mode::First => {
            if !insert_done(tx.conn(), envelope).await? {
                return Ok(false);
            }
            if is_held(tx.conn(), envelope).await? {
                set_waiting(
                    tx.conn(),
                    envelope,
                    0,
                    "an earlier event of this stream has not succeeded yet",
                    wall_now(),
                )
                .await?;
                tx.commit().await?;
                return Ok(false);
            }
        }
        Mode::Retry => {
            if !mark_done(tx.conn(), envelope.id).await? {
                return Ok(false);
            }
        }
    }
    // A panic would end the consumer of everybody's events; here it is one reaction that failed.
    let reacted = AssertUnwindSafe((reaction.react)(&mut tx, envelope.clone())).catch_unwind().await;
    reacted.map_err(|_| Error::internal("the reaction panicked"))??;
    tx.commit().await?;
    Ok(true)
}

async fn lock_stream(connection: &mut PgConnection, stream: &str) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 7))", stream)
        .fetch_one(connection)
        .await?;
    Ok(())
}

async fn insert_done(connection: &mut PgConnection, envelope: &Envelope) -> Result<bool> {
    let now = wall_now().to_sqlx();
    let inserted = sqlx::query!(
        "insert into quenty.inbox (event_id, publisher, type, stream, stream_version, status, received_at, updated_at)
         values ($1, $2, $3, $4, $5, 'done', $6, $6) on conflict (event_id) do nothing",
        envelope.id,
        envelope.publisher(),
        envelope.kind,
        envelope.subject,
        envelope.stream_version,
        now as _
    )
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

async fn is_held(connection: &mut PgConnection, envelope: &Envelope) -> Result<bool> {
    let held = sqlx::query_scalar!(
        "select exists (select from quenty.inbox where stream = $1 and status in ('waiting', 'dead') and stream_version < $2) as \"held!\"",
        envelope.subject,
        envelope.stream_version
    )
    .fetch_one(connection)
    .await?;
    Ok(held)
}

async fn set_waiting(
    connection: &mut PgConnection,
    envelope: &Envelope,
    attempts: i32,
    error: &str,
    next_at: Timestamp,
) -> Result<()> {
    let status = if attempts >= MAX_ATTEMPTS { "dead" } else { "waiting" };
    let now = wall_now().to_sqlx();
    sqlx::query!(
        "insert into quenty.inbox (event_id, publisher, type, stream, stream_version, status, attempts, next_at, error, envelope, received_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
         on conflict (event_id) do update set status = excluded.status, attempts = excluded.attempts, next_at = excluded.next_at,
             error = excluded.error, envelope = excluded.envelope, updated_at = excluded.updated_at",
        envelope.id,
        envelope.publisher(),
        envelope.kind,
        envelope.subject,
        envelope.stream_version,
        status,
        attempts,
        next_at.to_sqlx() as _,
        error,
        serde_json::to_value(envelope)?,
        now as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn mark_done(connection: &mut PgConnection, event: Uuid) -> Result<bool> {
    let now = wall_now().to_sqlx();
    let done = sqlx::query!(
        "update quenty.inbox set status = 'done', envelope = null, error = null, next_at = null, attempts = attempts + 1, updated_at = $2
         where event_id = $1 and status = 'waiting' and next_at <= $2",
        event,
        now as _
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The reaction's transaction is gone; the event is kept with its error, unless another delivery won meanwhile.
async fn store_failure(app: &App, envelope: &Envelope, error: &Error) -> Result<()> {
    let mut tx = app.begin_as(Cause::system()).await?;
    lock_stream(tx.conn(), &envelope.subject).await?;
    let known = sqlx::query!("select status, attempts from quenty.inbox where event_id = $1", envelope.id)
        .fetch_optional(tx.conn())
        .await?;
    let attempts = match &known {
        Some(row) if row.status != "waiting" => return Ok(()),
        Some(row) => row.attempts + 1,
        None => 1,
    };
    let next_at = wall_now() + app.0.pace.after(attempts);
    set_waiting(tx.conn(), envelope, attempts, &error.to_string(), next_at).await?;
    tx.commit().await?;
    let dead = attempts >= MAX_ATTEMPTS;
    tracing::warn!(service = app.name(), event = %envelope.id, kind = envelope.kind, stream = envelope.subject, attempts, dead, %error, "a reaction failed");
    if dead {
        metrics::counter!("quenty_events_dead_total", "service" => app.name()).increment(1);
    }
    Ok(())
}

/// Tries waiting events again: always the oldest of a stream, then the ones behind it.
pub(crate) async fn retry_worker(app: App) {
    while !app.stopping().is_cancelled() {
        match retry_round(&app).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::warn!(service = app.name(), %error, "the retry worker paused"),
        }
        tokio::select! {
            () = app.stopping().cancelled() => {}
            () = tokio::time::sleep(app.0.pace.poll()) => {}
        }
    }
}

async fn retry_round(app: &App) -> Result<bool> {
    let now = wall_now().to_sqlx();
    let due = sqlx::query!(
        "select i.envelope as \"envelope!\" from quenty.inbox i
         where i.status = 'waiting' and i.next_at <= $1
           and not exists (select from quenty.inbox p where p.stream = i.stream and p.status in ('waiting', 'dead') and p.stream_version < i.stream_version)
         order by i.next_at limit 32",
        now as _
    )
    .fetch_all(app.db())
    .await?;
    let mut moved = false;
    for row in due {
        let envelope: Envelope = serde_json::from_value(row.envelope)?;
        let Some(reaction) = app.service().reactions.iter().find(|r| r.kind == envelope.kind) else {
            continue;
        };
        match react(app, reaction, &envelope, Mode::Retry).await {
            Ok(done) => {
                moved |= done;
                if done {
                    metrics::counter!("quenty_events_consumed_total", "service" => app.name()).increment(1);
                }
            }
            Err(error) if error.is_database_away() => return Err(error),
            Err(error) => store_failure(app, &envelope, &error).await?,
        }
    }
    Ok(moved)
}
