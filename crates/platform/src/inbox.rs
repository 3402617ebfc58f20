//! The inbox: at-least-once delivery becomes exactly one effect, in the order of each stream, and an event
//! that fails for now holds up its own stream and nothing else (design/conventions.md, "Events").

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, stream};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::{Actor, Envelope, Event, clock::wall_now, id::CompanyId};
use serde_json::Value;
use sqlx::PgConnection;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    App, Error, Result,
    bus::BusAway,
    db::in_time,
    error::RERUNS,
    pace::MAX_ATTEMPTS,
    service::Reaction,
    span::{Span, SpanKind},
    trace,
    tx::Cause,
};

const RETRY_POLL: Duration = Duration::from_millis(250);
/// Nothing to try again makes the pauses longer, up to so many first ones: what waits was left by another process.
const RETRY_POLL_GROWS_TO: u32 = 8;
/// One event of each stream is due at a time: none overtakes another.
const RETRIES_AT_ONCE: u8 = 4;
const RETRIES_PER_ROUND: i64 = 32;
/// A reaction is short: it holds up what is behind it.
const REACTION_LIMIT: Duration = Duration::from_secs(60);
/// Longer than any pause between two tries.
const HUNG_FOR: Duration = Duration::from_secs(30 * 60);
/// What part of its limit such a reaction has while the bus waits for it: two seconds.
const HASTE: u32 = 30;
/// What a short limit leaves of that.
const HASTE_MIN: Duration = Duration::from_millis(100);

/// The types of events whose reaction did not end lately. Where many of them do not, everybody's events would wait for
/// each: the bus waits for a moment only, and they have their time when they are tried again.
#[derive(Debug, Default)]
pub(crate) struct Hung(Mutex<HashMap<&'static str, Instant>>);

impl Hung {
    fn note(&self, kind: &'static str) {
        self.kinds().insert(kind, Instant::now() + HUNG_FOR);
    }

    fn has(&self, kind: &str) -> bool {
        self.kinds().get(kind).is_some_and(|until| Instant::now() < *until)
    }

    fn kinds(&self) -> MutexGuard<'_, HashMap<&'static str, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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
    let taken_in = match reaction_to(app, &envelope) {
        Some(reaction) => one_try(app, reaction, &envelope, Mode::First).await.map(drop),
        None => in_time(keep_unheard(app, &envelope)).await,
    };
    taken_in.map_err(BusAway::because)
}

fn reaction_to<'a>(app: &'a App, envelope: &Envelope) -> Option<&'a Reaction> {
    app.service().reactions.iter().find(|reaction| reaction.kind == envelope.kind)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    First,
    Retry,
}

/// Returns whether the reaction ran. One that fails or does not end is kept with its error; an error of this one means that
/// the database takes nothing in.
async fn one_try(app: &App, reaction: &Reaction, envelope: &Envelope, mode: Mode) -> Result<bool> {
    let in_haste = mode == Mode::First && app.0.hung.has(reaction.kind);
    let whole = app.0.pace.longest_try.min(REACTION_LIMIT);
    let limit = if in_haste { (whole / HASTE).max(HASTE_MIN) } else { whole };
    let late = |_| {
        if !in_haste {
            app.0.hung.note(reaction.kind);
        }
        Err(Error::internal(format!("its reaction took longer than {limit:?}")))
    };
    let reacting = react(app, reaction, envelope, mode);
    match tokio::time::timeout(limit, reacting).await.unwrap_or_else(late) {
        Ok(done) => {
            if done {
                metrics::counter!("quenty_events_consumed_total", "service" => app.name()).increment(1);
            }
            Ok(done)
        }
        Err(error) if error.is_database_away() => Err(error),
        Err(error) => in_time(store_failure(app, envelope, &error)).await.map(|()| false),
    }
}

/// One transaction: stream lock, inbox row, reaction. Returns whether the reaction ran.
async fn react(app: &App, reaction: &Reaction, envelope: &Envelope, mode: Mode) -> Result<bool> {
    let mut seen = Span::begin(app.name(), SpanKind::Consumer, envelope.traceparent.as_deref());
    seen.moves(app.bus().system(), "process", envelope);
    let trace = seen.context();
    let span = tracing::info_span!("event", service = app.name(), kind = envelope.kind, id = %envelope.id, trace_id = trace.trace_id());
    let reacting = async {
        let mut runs = 0;
        loop {
            match react_once(app, reaction, envelope, mode).await {
                Err(error) if error.is_retryable() && runs < RERUNS => runs += 1,
                outcome => return outcome,
            }
        }
    };
    let outcome = trace::within(trace, span, reacting).await;
    if let Err(error) = &outcome {
        seen.fail(error.reason());
    }
    outcome
}

async fn react_once(app: &App, reaction: &Reaction, envelope: &Envelope, mode: Mode) -> Result<bool> {
    let cause = Cause {
        actor: Actor::Service(envelope.publisher().to_owned()),
        correlation_id: envelope.correlation_id,
        causation_id: Some(envelope.id),
        traceparent: Some(trace::current().to_string()),
    };
    let mut tx = app.begin_as(cause).await?;
    match mode {
        Mode::First => {
            // Who tries an earlier event again may have the stream for long: the bus does not wait for that.
            let is_free = try_lock_stream(tx.conn(), envelope).await?;
            let is_behind = !is_free && is_held(tx.conn(), envelope, &known(app)).await?;
            if !is_free && !is_behind {
                lock_stream(tx.conn(), envelope).await?;
            }
            if !insert_done(tx.conn(), envelope).await? {
                return Ok(false);
            }
            if is_behind || is_held(tx.conn(), envelope, &known(app)).await? {
                set_waiting(
                    tx.conn(),
                    envelope,
                    0,
                    "an earlier event of this stream has not succeeded yet",
                    wall_now(),
                )
                .await?;
                tx.commit().await?;
                app.0.retry_nudge.notify_one();
                return Ok(false);
            }
        }
        Mode::Retry => {
            lock_stream(tx.conn(), envelope).await?;
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

/// Two services may publish about the same aggregate: each one's facts are a stream of their own.
async fn lock_stream(connection: &mut PgConnection, envelope: &Envelope) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 7))", stream_name(envelope))
        .fetch_one(connection)
        .await?;
    Ok(())
}

async fn try_lock_stream(connection: &mut PgConnection, envelope: &Envelope) -> Result<bool> {
    let is_free = sqlx::query_scalar!(
        "select pg_try_advisory_xact_lock(hashtextextended($1, 7)) as \"free!\"",
        stream_name(envelope)
    );
    Ok(is_free.fetch_one(connection).await?)
}

fn stream_name(envelope: &Envelope) -> String {
    format!("{}/{}", envelope.publisher(), envelope.subject)
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

/// The types that this version reacts to. What waits of another is for the version that left it, and holds up nothing
/// here: it would have been passed by.
pub(crate) fn known(app: &App) -> Vec<String> {
    app.service().hears().into_iter().map(str::to_owned).collect()
}

async fn is_held(connection: &mut PgConnection, envelope: &Envelope, known: &[String]) -> Result<bool> {
    let held = sqlx::query_scalar!(
        "select exists (select from quenty.inbox
                        where publisher = $1 and stream = $2 and stream_version < $3
                          and (status = 'dead' or (status in ('waiting', 'unheard') and type = any($4)))) as \"held!\"",
        envelope.publisher(),
        envelope.subject,
        envelope.stream_version,
        known
    )
    .fetch_one(connection)
    .await?;
    Ok(held)
}

/// A newer replica has declared what this one does not know yet: the event is kept until one that has the reaction
/// finds it. It holds up nothing here, since this version would have passed it by; there it comes before what follows it.
async fn keep_unheard(app: &App, envelope: &Envelope) -> Result<()> {
    let now = wall_now().to_sqlx();
    sqlx::query!(
        "insert into quenty.inbox (event_id, publisher, type, stream, stream_version, status, next_at, envelope, received_at, updated_at)
         values ($1, $2, $3, $4, $5, 'unheard', $6, $7, $6, $6) on conflict (event_id) do nothing",
        envelope.id,
        envelope.publisher(),
        envelope.kind,
        envelope.subject,
        envelope.stream_version,
        now as _,
        serde_json::to_value(envelope)?
    )
    .execute(app.db())
    .await?;
    Ok(())
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
         where event_id = $1 and status in ('waiting', 'unheard') and next_at <= $2",
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
    lock_stream(tx.conn(), envelope).await?;
    let known = sqlx::query!("select status, attempts from quenty.inbox where event_id = $1", envelope.id)
        .fetch_optional(tx.conn())
        .await?;
    let attempts = match &known {
        Some(row) if row.status != "waiting" && row.status != "unheard" => return Ok(()),
        Some(row) => row.attempts + 1,
        None => 1,
    };
    let next_at = wall_now() + app.0.pace.after(attempts);
    set_waiting(tx.conn(), envelope, attempts, &error.to_string(), next_at).await?;
    tx.commit().await?;
    app.0.retry_nudge.notify_one();
    let dead = attempts >= MAX_ATTEMPTS;
    tracing::warn!(service = app.name(), event = %envelope.id, kind = envelope.kind, stream = envelope.subject, attempts, dead, %error, "a reaction failed");
    if dead {
        metrics::counter!("quenty_events_dead_total", "service" => app.name()).increment(1);
    }
    Ok(())
}

/// Tries waiting events again: always the oldest of a stream, then the ones behind it.
pub(crate) async fn retry_worker(app: App) {
    let shortest = app.0.pace.poll(RETRY_POLL);
    let mut pause = shortest;
    while !app.stopping().is_cancelled() {
        match retry_round(&app).await {
            Ok(true) => {
                pause = shortest;
                continue;
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(service = app.name(), %error, "the retry worker paused"),
        }
        tokio::select! {
            () = app.stopping().cancelled() => {}
            () = app.0.retry_nudge.notified() => pause = shortest,
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(shortest * RETRY_POLL_GROWS_TO),
        }
    }
}

/// What may not end comes behind all else, and no more of it than is tried at once: what is due by then waits for one such
/// try at most.
async fn retry_round(app: &App) -> Result<bool> {
    let known = known(app);
    let (hung, others): (Vec<_>, Vec<_>) = known.iter().cloned().partition(|kind| app.0.hung.has(kind));
    let mut events = due(app, &known, &others, RETRIES_PER_ROUND).await?;
    if !hung.is_empty() {
        events.extend(due(app, &known, &hung, RETRIES_AT_ONCE.into()).await?);
    }
    let mut retried = stream::iter(events)
        .map(|(event, envelope)| retry_stored(app.clone(), event, envelope))
        .buffer_unordered(RETRIES_AT_ONCE.into());
    let mut moved = false;
    while let Some(done) = retried.next().await {
        moved |= done?;
    }
    Ok(moved)
}

/// The oldest of each stream, of these types.
async fn due(app: &App, known: &[String], kinds: &[String], limit: i64) -> Result<Vec<(Uuid, Value)>> {
    let now = wall_now().to_sqlx();
    let due = sqlx::query!(
        "select i.event_id, i.envelope as \"envelope!\" from quenty.inbox i
         where i.status in ('waiting', 'unheard') and i.next_at <= $1 and i.type = any($3)
           and not exists (select from quenty.inbox p
                           where p.publisher = i.publisher and p.stream = i.stream and p.stream_version < i.stream_version
                             and (p.status = 'dead' or (p.status in ('waiting', 'unheard') and p.type = any($2))))
         order by i.next_at limit $4",
        now as _,
        known,
        kinds,
        limit
    )
    .fetch_all(app.db());
    let due = in_time(async { Ok(due.await?) }).await?;
    Ok(due.into_iter().map(|row| (row.event_id, row.envelope)).collect())
}

async fn retry_stored(app: App, event: Uuid, envelope: Value) -> Result<bool> {
    match serde_json::from_value(envelope) {
        Ok(envelope) => retry(&app, &envelope).await,
        Err(error) => in_time(bury(&app, event, &error.to_string())).await.map(|()| false),
    }
}

async fn retry(app: &App, envelope: &Envelope) -> Result<bool> {
    let Some(reaction) = reaction_to(app, envelope) else { return Ok(false) };
    one_try(app, reaction, envelope, Mode::Retry).await
}

/// What was stored and cannot be read again is for an operator to look at.
async fn bury(app: &App, event: Uuid, error: &str) -> Result<()> {
    let now = wall_now().to_sqlx();
    tracing::error!(service = app.name(), %event, error, "a stored event cannot be read");
    sqlx::query!(
        "update quenty.inbox set status = 'dead', error = $2, next_at = null, updated_at = $3 where event_id = $1",
        event,
        error,
        now as _
    )
    .execute(app.db())
    .await?;
    metrics::counter!("quenty_events_dead_total", "service" => app.name()).increment(1);
    Ok(())
}
