//! The relay: carries the outbox to the bus, in order within each stream, and gives out feed positions.
//!
//! One relay per service database holds the lease (a session advisory lock, gone with its connection).

use std::{collections::HashMap, time::Duration};

use jiff_sqlx::ToSqlx;
use quenty_kernel::{Envelope, clock::wall_now};
use sqlx::{PgConnection, PgPool};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    App, Result,
    db::in_time,
    otlp,
    span::{Span, SpanKind},
    trace::TraceParent,
};

/// `pg_try_advisory_lock` key of the relay's lease.
const LEASE: i64 = 0x7175_656e_7479_0001;
/// A process that stands still keeps its connections, for which its machine answers: PostgreSQL ends a session that has
/// been silent for so long. While the bus takes a batch, it is silent for up to a minute and a half.
const LEASE_IDLE: &str = "120s";
const BATCH: i64 = 256;
const POLL_MIN: Duration = Duration::from_millis(5);
/// While other processes of the service write, too: nobody nudges the relay for what they commit.
const POLL_MAX_SHARED: Duration = Duration::from_millis(50);
/// While all that came was nudged for. A platform of many services would otherwise never rest.
const POLL_MAX_ALONE: Duration = Duration::from_millis(500);
/// How long one event that came without a nudge makes the relay expect more.
const SHARED_FOR: Duration = Duration::from_secs(60);
const LEASE_RETRY: Duration = Duration::from_secs(1);
const BUS_RETRY: Duration = Duration::from_millis(500);
/// A stream that is not confirmed again and again stands aside for no longer than this.
const ASIDE_MAX: Duration = Duration::from_secs(8);

/// Runs until the process is asked to end; a lost connection or bus only pauses it.
pub(crate) async fn run(app: App) {
    while !app.stopping().is_cancelled() {
        if let Err(error) = with_lease(&app).await {
            tracing::warn!(service = app.name(), %error, "the relay paused");
        }
        tokio::select! {
            () = app.stopping().cancelled() => {}
            () = tokio::time::sleep(LEASE_RETRY) => {}
        }
    }
}

async fn with_lease(app: &App) -> Result<()> {
    let mut connection = in_time(session(app.db(), LEASE_IDLE)).await?;
    while !app.stopping().is_cancelled() {
        if in_time(take_lease(&mut connection)).await? {
            return relay(app, &mut connection).await;
        }
        tokio::select! {
            () = app.stopping().cancelled() => {}
            () = tokio::time::sleep(LEASE_RETRY) => {}
        }
    }
    Ok(())
}

/// Detached from the pool: dropping it closes the session, and with it the lease.
async fn session(db: &PgPool, idle: &str) -> Result<PgConnection> {
    let mut connection = db.acquire().await?.detach();
    sqlx::query_scalar!("select set_config('idle_session_timeout', $1, false)", idle)
        .fetch_one(&mut connection)
        .await?;
    Ok(connection)
}

async fn take_lease(connection: &mut PgConnection) -> Result<bool> {
    let taken = sqlx::query_scalar!("select pg_try_advisory_lock($1) as \"held!\"", LEASE);
    Ok(taken.fetch_one(connection).await?)
}

async fn relay(app: &App, connection: &mut PgConnection) -> Result<()> {
    let mut pause = POLL_MIN;
    let mut aside = Aside::default();
    let mut shared_until = Instant::now();
    let mut nudged = true;
    while !app.stopping().is_cancelled() {
        let outcome = relay_batch(app, connection, &mut aside).await?;
        let longest = if Instant::now() < shared_until { POLL_MAX_SHARED } else { POLL_MAX_ALONE };
        pause = match outcome {
            Batch::Empty => (pause * 2).min(longest),
            Batch::Moved => {
                if !nudged {
                    shared_until = Instant::now() + SHARED_FOR;
                }
                nudged = true;
                pause = POLL_MIN;
                continue;
            }
            Batch::BusAway => BUS_RETRY,
        };
        nudged = tokio::select! {
            () = app.stopping().cancelled() => true,
            () = app.0.outbox_nudge.notified(), if matches!(outcome, Batch::Empty) => true,
            () = tokio::time::sleep(pause) => false,
        };
    }
    Ok(())
}

enum Batch {
    Empty,
    Moved,
    BusAway,
}

/// Streams that the bus could not take, though it is there: one listener or queue that is stuck must not keep
/// everybody else's events back.
#[derive(Default)]
struct Aside(HashMap<String, (u32, Instant)>);

impl Aside {
    fn streams(&self) -> Vec<String> {
        let now = Instant::now();
        self.0.iter().filter(|(_, (_, until))| now < *until).map(|(stream, _)| stream.clone()).collect()
    }

    fn note(&mut self, envelopes: &[Envelope], confirmed: &[Uuid]) {
        for envelope in envelopes {
            if confirmed.contains(&envelope.id) {
                self.0.remove(&envelope.subject);
                continue;
            }
            let (failures, until) = self.0.entry(envelope.subject.clone()).or_insert((0, Instant::now()));
            *until = Instant::now() + (BUS_RETRY * 2_u32.saturating_pow(*failures)).min(ASIDE_MAX);
            *failures = (*failures + 1).min(8);
        }
    }
}

async fn relay_batch(app: &App, connection: &mut PgConnection, aside: &mut Aside) -> Result<Batch> {
    let mut envelopes = in_time(next_batch(connection, &aside.streams())).await?;
    if envelopes.is_empty() {
        return Ok(Batch::Empty);
    }
    let seen = on_their_way(app, &mut envelopes);
    let confirmed = app.bus().publish(&envelopes).await;
    for (event, mut span) in seen {
        if !confirmed.contains(&event) {
            span.fail("unconfirmed");
        }
    }
    if confirmed.is_empty() && app.bus().check().await.is_err() {
        return Ok(Batch::BusAway);
    }
    aside.note(&envelopes, &confirmed);
    in_time(move_to_feed(connection, &confirmed)).await?;
    metrics::counter!("quenty_events_published_total", "service" => app.name())
        .increment(confirmed.len() as u64);
    app.0.feed_nudge.notify_waiters();
    Ok(Batch::Moved)
}

/// A span for each event of a trace that is seen. Who hears the event goes on from there.
fn on_their_way(app: &App, envelopes: &mut [Envelope]) -> Vec<(Uuid, Span)> {
    if !otlp::is_collecting() {
        return Vec::new();
    }
    let span = |envelope: &mut Envelope| {
        let parent = envelope.traceparent.as_deref().and_then(TraceParent::parse)?;
        let mut span = Span::child_of(parent, app.name(), SpanKind::Producer);
        span.moves(app.bus().system(), "send", envelope);
        envelope.traceparent = Some(span.context().to_string());
        Some((envelope.id, span))
    };
    envelopes.iter_mut().filter_map(span).collect()
}

/// At most one fact per stream: a lost confirm can never let a later fact overtake it.
async fn next_batch(connection: &mut PgConnection, aside: &[String]) -> Result<Vec<Envelope>> {
    let rows = sqlx::query!(
        "select o.envelope from quenty.outbox o
         where o.stream <> all($1)
           and not exists (select from quenty.outbox p where p.stream = o.stream and p.stream_version < o.stream_version)
         order by o.seq limit $2",
        aside,
        BATCH
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| serde_json::from_value(row.envelope)).collect::<Result<_, _>>()?)
}

async fn move_to_feed(connection: &mut PgConnection, confirmed: &[Uuid]) -> Result<()> {
    let now = wall_now().to_sqlx();
    sqlx::query!(
        "with gone as (delete from quenty.outbox where event_id = any($1) returning seq, event_id, stream, envelope)
         insert into quenty.feed (event_id, type, stream, company_id, published_at)
         select g.event_id, g.envelope->>'type', g.stream, j.company_id, $2 from gone g join quenty.journal j on j.id = g.event_id order by g.seq
         on conflict (event_id) do nothing",
        confirmed,
        now as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use quenty_testkit::{eventually, shared::shared_postgres};

    use super::*;
    use crate::db::{self, Plans};

    #[tokio::test]
    async fn who_holds_the_lease_and_stands_still_loses_it() {
        let url = shared_postgres().await.unwrap().superuser_url("postgres");
        let pool = db::pool(&url, "relay", Plans::Generic, 2).unwrap();
        let mut still = session(&pool, "1s").await.unwrap();
        assert!(take_lease(&mut still).await.unwrap());
        eventually("another relay has it", || async {
            let mut other = session(&pool, LEASE_IDLE).await.unwrap();
            take_lease(&mut other).await.unwrap().then_some(())
        })
        .await;
        assert!(take_lease(&mut still).await.is_err(), "its session is over");
    }
}
