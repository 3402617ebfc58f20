//! What an operator asks of every service: its dead letters, its dead tasks, its journal, its lag. The same
//! functions serve the command line (by database) and the internal routes.

use std::collections::HashMap;

use axum::extract::State;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::{Envelope, Failure, clock::wall_now, id::CompanyId};
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, PgPool};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

use crate::{
    App, Result,
    http::{Answer, Can, Json, Path},
    inbox, journal, routes,
    service::Invariant,
    tasks::LEASE,
};

crate::permissions! {
    ReadDeadLetters = "dead_letters:read", personal;
    ReplayDeadLetters = "dead_letters:replay";
    DiscardDeadLetters = "dead_letters:discard";
}

/// An event whose reaction kept failing, or a task that did.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DeadLetter {
    pub id: Uuid,
    /// `event` or `task`.
    pub what: String,
    #[serde(rename = "type")]
    pub kind: String,
    /// The aggregate whose events wait behind it, or the task's key.
    pub subject: String,
    pub attempts: i32,
    pub error: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub content: Option<serde_json::Value>,
    pub since: Timestamp,
    /// How many events wait behind it.
    pub waiting_behind: i64,
}

/// What has given up, oldest first, up to a thousand events and a thousand tasks.
///
/// # Errors
/// When the database cannot be read.
pub async fn dead_letters(db: &PgPool) -> Result<Vec<DeadLetter>> {
    find_dead_letters(db, None).await
}

/// One that has given up, if it is this service's.
///
/// # Errors
/// When the database cannot be read.
pub async fn dead_letter(db: &PgPool, id: Uuid) -> Result<Option<DeadLetter>> {
    Ok(find_dead_letters(db, Some(id)).await?.pop())
}

async fn find_dead_letters(db: &PgPool, only: Option<Uuid>) -> Result<Vec<DeadLetter>> {
    let events = sqlx::query!(
        "select event_id, type as kind, stream, attempts, error, envelope, updated_at,
                (select count(*) from quenty.inbox b
                 where b.publisher = i.publisher and b.stream = i.stream and b.status = 'waiting' and b.stream_version > i.stream_version) as \"behind!\"
         from quenty.inbox i where status = 'dead' and ($1::uuid is null or event_id = $1) order by updated_at limit 1000",
        only
    )
    .fetch_all(db)
    .await?;
    let tasks = sqlx::query!(
        "select id, kind, key, attempts, error, payload, updated_at
         from quenty.tasks where status = 'dead' and ($1::uuid is null or id = $1) order by updated_at limit 1000",
        only
    )
    .fetch_all(db)
    .await?;
    let events = events.into_iter().map(|row| DeadLetter {
        id: row.event_id,
        what: "event".to_owned(),
        kind: row.kind,
        subject: row.stream,
        attempts: row.attempts,
        error: row.error,
        content: row.envelope,
        since: row.updated_at.to_jiff(),
        waiting_behind: row.behind,
    });
    let tasks = tasks.into_iter().map(|row| DeadLetter {
        id: row.id,
        what: "task".to_owned(),
        kind: row.kind,
        subject: row.key,
        attempts: row.attempts,
        error: row.error,
        content: Some(row.payload),
        since: row.updated_at.to_jiff(),
        waiting_behind: 0,
    });
    Ok(events.chain(tasks).collect())
}

/// Tries a dead letter again, at once, with all its tries.
///
/// # Errors
/// 404 when there is no such dead letter.
pub async fn replay(db: &PgPool, id: Uuid) -> Result<()> {
    let now = wall_now().to_sqlx();
    let events = sqlx::query!("update quenty.inbox set status = 'waiting', attempts = 0, next_at = $2, updated_at = $2 where event_id = $1 and status = 'dead'", id, now as _)
        .execute(db)
        .await?;
    let tasks = sqlx::query!("update quenty.tasks set status = 'ready', attempts = 0, run_at = $2, updated_at = $2 where id = $1 and status = 'dead'", id, now as _)
        .execute(db)
        .await?;
    found(events.rows_affected() + tasks.rows_affected())
}

/// As [`replay`], for all of a service, or those of one type of event or kind of task; how many these were.
///
/// # Errors
/// When the database cannot be written.
pub async fn replay_all(db: &PgPool, kind: Option<&str>) -> Result<i64> {
    let now = wall_now().to_sqlx();
    let count = sqlx::query_scalar!(
        "with events as (
           update quenty.inbox set status = 'waiting', attempts = 0, next_at = $2, updated_at = $2
           where status = 'dead' and ($1::text is null or type = $1) returning 1
         ), tasks as (
           update quenty.tasks set status = 'ready', attempts = 0, run_at = $2, updated_at = $2
           where status = 'dead' and ($1::text is null or kind = $1) returning 1
         )
         select (select count(*) from events) + (select count(*) from tasks) as \"count!\"",
        kind,
        now as _
    )
    .fetch_one(db)
    .await?;
    Ok(count)
}

/// Gives a dead letter up for good: its stream flows on without it.
///
/// # Errors
/// 404 when there is no such dead letter.
pub async fn discard(db: &PgPool, id: Uuid) -> Result<()> {
    let now = wall_now().to_sqlx();
    let events = sqlx::query!("update quenty.inbox set status = 'discarded', envelope = null, next_at = null, updated_at = $2 where event_id = $1 and status = 'dead'", id, now as _)
        .execute(db)
        .await?;
    let tasks = sqlx::query!(
        "update quenty.tasks set status = 'cancelled', updated_at = $2 where id = $1 and status = 'dead'",
        id,
        now as _
    )
    .execute(db)
    .await?;
    found(events.rows_affected() + tasks.rows_affected())
}

fn found(rows: u64) -> Result<()> {
    if rows == 0 { Err(Failure::not_found("dead letter").into()) } else { Ok(()) }
}

/// What is under way in one service: all zero means that it has come to rest.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, PartialEq, Eq, ToSchema)]
pub struct Backlog {
    pub outbox: i64,
    /// Not counting those that wait behind a dead one.
    pub inbox_waiting: i64,
    pub inbox_dead: i64,
    /// Tasks that could run now.
    pub tasks_due: i64,
    pub tasks_dead: i64,
}

impl Backlog {
    /// Nothing moves any more; what is dead waits for an operator.
    #[must_use]
    pub fn at_rest(&self) -> bool {
        self.outbox == 0 && self.inbox_waiting == 0 && self.tasks_due == 0
    }
}

/// Counts what is under way, tasks by the given business time.
///
/// # Errors
/// When the database cannot be read.
pub async fn backlog(db: &PgPool, business_now: Timestamp) -> Result<Backlog> {
    let row = sqlx::query!(
        "select (select count(*) from quenty.outbox) as \"outbox!\",
                (select count(*) from quenty.inbox w where w.status = 'waiting'
                   and not exists (select from quenty.inbox d where d.publisher = w.publisher and d.stream = w.stream
                                     and d.status = 'dead' and d.stream_version < w.stream_version)) as \"waiting!\",
                (select count(*) from quenty.inbox where status = 'dead') as \"dead!\",
                (select count(*) from quenty.tasks where status = 'running' or (status = 'ready' and (due_at is null or due_at <= $1))) as \"due!\",
                (select count(*) from quenty.tasks where status = 'dead') as \"tasks_dead!\"",
        business_now.to_sqlx() as _
    )
    .fetch_one(db)
    .await?;
    Ok(Backlog {
        outbox: row.outbox,
        inbox_waiting: row.waiting,
        inbox_dead: row.dead,
        tasks_due: row.due,
        tasks_dead: row.tasks_dead,
    })
}

/// A backlog, and how far the journal has come: equal twice means that nothing moved in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Activity {
    pub backlog: Backlog,
    facts: i64,
}

/// As [`backlog`], with the mark of progress.
///
/// # Errors
/// When the database cannot be read.
pub async fn activity(db: &PgPool, business_now: Timestamp) -> Result<Activity> {
    let backlog = backlog(db, business_now).await?;
    let facts = sqlx::query_scalar!("select coalesce(max(seq), 0) as \"facts!\" from quenty.journal")
        .fetch_one(db)
        .await?;
    Ok(Activity { backlog, facts })
}

/// The next moment of business time at which this service has something to do.
///
/// # Errors
/// When the database cannot be read.
pub async fn next_due(db: &PgPool) -> Result<Option<Timestamp>> {
    let due = sqlx::query_scalar!("select min(due_at) as \"due?: jiff_sqlx::Timestamp\" from quenty.tasks where status = 'ready' and due_at is not null").fetch_one(db).await?;
    Ok(due.map(jiff_sqlx::Timestamp::to_jiff))
}

/// What went over the bus: facts published, deliveries consumed, deliveries that have given up.
#[derive(Debug, Clone, Copy, Default, Serialize, PartialEq, Eq)]
pub struct Traffic {
    pub published: i64,
    pub consumed: i64,
    pub dead: i64,
}

/// Counts the traffic of one service, as far back as feed and inbox reach.
///
/// # Errors
/// When the database cannot be read.
pub async fn traffic(db: &PgPool) -> Result<Traffic> {
    let row = sqlx::query!(
        "select (select count(*) from quenty.feed) as \"published!\", (select count(*) from quenty.inbox where status = 'done') as \"consumed!\",
                (select count(*) from quenty.inbox where status = 'dead') as \"dead!\""
    )
    .fetch_one(db)
    .await?;
    Ok(Traffic { published: row.published, consumed: row.consumed, dead: row.dead })
}

/// Since when the oldest queued event waits for the bus.
///
/// # Errors
/// When the database cannot be read.
pub async fn oldest_unsent(db: &PgPool) -> Result<Option<Timestamp>> {
    let oldest =
        sqlx::query_scalar!("select min(created_at) as \"at?: jiff_sqlx::Timestamp\" from quenty.outbox")
            .fetch_one(db)
            .await?;
    Ok(oldest.map(jiff_sqlx::Timestamp::to_jiff))
}

/// When the event was received that has waited longest for its reaction; `None` when none waits.
///
/// # Errors
/// When the database cannot be read.
pub(crate) async fn oldest_waiting(db: &PgPool) -> Result<Option<Timestamp>> {
    // `offset 0`: else the planner walks through all that was ever received, to find the first that waits.
    let oldest = sqlx::query_scalar!(
        "select min(received_at) as \"at?: jiff_sqlx::Timestamp\"
         from (select received_at from quenty.inbox where status = 'waiting' offset 0) as waiting"
    )
    .fetch_one(db)
    .await?;
    Ok(oldest.map(jiff_sqlx::Timestamp::to_jiff))
}

/// When the event was received that has waited longest since its reaction failed, not counting those that wait behind a
/// dead one; `None` when none has failed.
///
/// # Errors
/// When the database cannot be read.
pub async fn oldest_failing(db: &PgPool) -> Result<Option<Timestamp>> {
    // `offset 0`: as in [`oldest_waiting`].
    let oldest = sqlx::query_scalar!(
        "select min(received_at) as \"at?: jiff_sqlx::Timestamp\"
         from (select w.received_at from quenty.inbox w where w.status = 'waiting' and w.attempts > 0
                 and not exists (select from quenty.inbox d where d.publisher = w.publisher and d.stream = w.stream
                                   and d.status = 'dead' and d.stream_version < w.stream_version) offset 0) as failing"
    )
    .fetch_one(db)
    .await?;
    Ok(oldest.map(jiff_sqlx::Timestamp::to_jiff))
}

/// How many tasks were due before these moments of wall and business time and have not begun, or have run since before then.
///
/// # Errors
/// When the database cannot be read.
pub async fn late_tasks(db: &PgPool, wall: Timestamp, business: Timestamp) -> Result<i64> {
    let late = sqlx::query_scalar!(
        "select count(*) as \"late!\" from quenty.tasks
         where (status = 'ready' and run_at < $1 and (due_at is null or due_at < $2)) or (status = 'running' and updated_at < $1)",
        wall.to_sqlx() as _,
        business.to_sqlx() as _
    )
    .fetch_one(db)
    .await?;
    Ok(late)
}

/// How many rows break an invariant.
///
/// # Errors
/// When the database cannot be read.
pub async fn violations(db: &PgPool, invariant: &Invariant) -> Result<i64> {
    let statement = format!("select count(*) from ({}) as broken", invariant.violations);
    Ok(sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(db).await?)
}

/// How long a service remembers which events it has heard: so far back, a replay can double nothing.
pub const INBOX_KEPT_DAYS: i64 = 30;

/// The types of events that a service has ever heard.
///
/// # Errors
/// When the database cannot be read.
pub async fn heard_types(db: &PgPool) -> Result<Vec<String>> {
    let heard = sqlx::query_scalar!(
        "select type as \"type!\" from quenty.heard union select type from quenty.inbox where status <> 'unheard'"
    )
    .fetch_all(db)
    .await?;
    Ok(heard)
}

/// Whether a process of the service has connections to its database.
///
/// # Errors
/// When the database cannot be read.
pub async fn is_served(db: &PgPool, service: &str) -> Result<bool> {
    let connected = sqlx::query_scalar!(
        "select exists (select from pg_stat_activity where datname = current_database() and application_name = $1) as \"connected!\"",
        crate::db::application_name(service)
    )
    .fetch_one(db)
    .await?;
    Ok(connected)
}

/// How far a service has taken in the streams of one publisher: the version of the latest fact of each.
///
/// # Errors
/// When the database cannot be read.
pub async fn taken_in(db: &PgPool, publisher: &str) -> Result<HashMap<String, i64>> {
    let rows = sqlx::query!(
        "select stream, max(stream_version) as \"version!\" from quenty.inbox where publisher = $1 and status = 'done' group by stream",
        publisher
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.stream, row.version)).collect())
}

/// What a replay did with facts that the service had not heard of.
#[derive(Debug, Clone, Copy)]
pub struct Replayed {
    /// They wait in its inbox.
    pub put: i64,
    /// They were left out: it has taken in what comes after them.
    pub late: i64,
}

/// Puts facts of one publisher into a service's inbox. They wait there for their reactions, and what is delivered behind
/// them waits for them. Those that come before what is [`taken_in`] of their stream are left out.
///
/// # Errors
/// When the database cannot be written.
pub async fn put_into_inbox(
    db: &PgPool,
    publisher: &str,
    facts: &[Envelope],
    taken_in: &HashMap<String, i64>,
) -> Result<Replayed> {
    let now = wall_now().to_sqlx();
    let is_late =
        |fact: &&Envelope| taken_in.get(&fact.subject).is_some_and(|version| *version > fact.stream_version);
    let late: Vec<Uuid> = facts.iter().filter(is_late).map(|fact| fact.id).collect();
    let row = sqlx::query!(
        "with given as (
           select (e->>'id')::uuid as id, e->>'type' as type, e->>'subject' as stream, (e->>'stream_version')::bigint as version, e as envelope
           from jsonb_array_elements($1) as facts (e)
           where not exists (select from quenty.inbox known where known.event_id = (e->>'id')::uuid)
         ), put as (
           insert into quenty.inbox (event_id, publisher, type, stream, stream_version, status, next_at, envelope, received_at, updated_at)
           select id, $2, type, stream, version, 'waiting', $4::timestamptz, envelope, $4, $4 from given where id <> all($3)
           on conflict (event_id) do nothing returning 1
         )
         select (select count(*) from put) as \"put!\", (select count(*) from given where id = any($3)) as \"late!\"",
        serde_json::to_value(facts)?,
        publisher,
        &late,
        now as _
    )
    .fetch_one(db)
    .await?;
    Ok(Replayed { put: row.put, late: row.late })
}

/// How many journal entries a replay reads in one go.
const REPLAY_BATCH: i64 = 500;

/// Published facts of these types since a moment, as they were sent, in the order of the journal after `seq`.
///
/// # Errors
/// When the database cannot be read.
pub async fn journal_batch(
    db: &PgPool,
    service: &str,
    types: &[&str],
    since: Timestamp,
    after: i64,
) -> Result<Vec<(i64, Envelope)>> {
    let types: Vec<String> = types.iter().map(|kind| (*kind).to_owned()).collect();
    let rows = sqlx::query!(
        "select j.seq, j.id, j.stream, j.stream_version, j.type as kind, j.data, p.data as \"personal?\", j.actor, j.company_id, j.correlation_id,
                j.causation_id, j.traceparent, j.occurred_at
         from quenty.journal j left join quenty.journal_personal p on p.event_id = j.id
         where j.seq > $1 and j.type = any($2) and j.occurred_at >= $3 order by j.seq limit $4",
        after,
        &types,
        since.to_sqlx() as _,
        REPLAY_BATCH
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let envelope = Envelope {
                specversion: "1.0".to_owned(),
                id: row.id,
                source: format!("/quenty/{service}"),
                dataschema: format!("/schemas/{}.json", row.kind),
                kind: row.kind,
                subject: row.stream,
                time: row.occurred_at.to_jiff(),
                datacontenttype: "application/json".to_owned(),
                company_id: row.company_id.map(CompanyId::from_uuid),
                actor: row.actor.parse().map_err(crate::Error::internal)?,
                correlation_id: row.correlation_id,
                causation_id: row.causation_id,
                stream_version: row.stream_version,
                traceparent: row.traceparent,
                data: journal::joined(row.data, row.personal),
            };
            Ok((row.seq, envelope))
        })
        .collect()
}

/// What has served its time, and after how many hours, by the clock of the database: a process whose own is ahead would
/// forget what is still needed. Each statement takes so many rows: short transactions, however much there is.
const SERVED: [(&str, i64); 4] = [
    (
        "delete from quenty.idempotency where ctid = any(array(
           select ctid from quenty.idempotency where created_at < now() - make_interval(hours => $1::int) limit 5000))",
        crate::idempotency::KEPT_HOURS,
    ),
    // What a replay may never double stays known by its type.
    (
        "with gone as (
           delete from quenty.inbox where ctid = any(array(
             select ctid from quenty.inbox
             where received_at < now() - make_interval(hours => $1::int) and status in ('done', 'discarded', 'unheard') limit 5000))
           returning type, status
         ), heard as (
           insert into quenty.heard (type) select distinct type from gone where status <> 'unheard' order by type on conflict do nothing
         )
         select from gone",
        INBOX_KEPT_DAYS * 24,
    ),
    (
        "delete from quenty.tasks where ctid = any(array(
           select ctid from quenty.tasks
           where updated_at < now() - make_interval(hours => $1::int) and status in ('done', 'cancelled') limit 5000))",
        7 * 24,
    ),
    // Live streams begin after the last position, and resume there: it stays.
    (
        "delete from quenty.feed where ctid = any(array(
           select ctid from quenty.feed
           where published_at < now() - make_interval(hours => $1::int) and position < (select max(position) from quenty.feed) limit 5000))",
        7 * 24,
    ),
];

/// Removes what has served its time, and brings back what was put off too far; the journal stays for ever.
pub(crate) async fn clean(app: App) -> Result<()> {
    bring_back(&app).await?;
    set_aside(&app).await?;
    for (statement, hours) in SERVED {
        while sqlx::query(statement).bind(hours).execute(app.db()).await?.rows_affected() > 0 {}
    }
    Ok(())
}

/// What waits of a type that this version does not hear, another one has left. It is kept like what nobody hears, and as
/// long from now on: nothing here would ever try it, and everybody would wait for it.
async fn set_aside(app: &App) -> Result<()> {
    let known = inbox::known(app);
    let count = sqlx::query!(
        "update quenty.inbox set status = 'unheard', received_at = now(), updated_at = now() where status = 'waiting' and type <> all($1)",
        &known
    )
    .execute(app.db())
    .await?
    .rows_affected();
    if count > 0 {
        tracing::warn!(service = app.name(), count, "set aside events that another version left waiting");
    }
    Ok(())
}

/// What lies further ahead than anything is put off or leased for, a clock wrote that was ahead. The database's says what
/// is ahead, since all replicas share it: those whose own clocks differ would take each other's tasks. Whoever still works
/// under such a lease renews it in time.
async fn bring_back(app: &App) -> Result<()> {
    let count = sqlx::query_scalar!(
        "with ready as (
           update quenty.tasks set run_at = now() where status = 'ready' and run_at > now() + make_interval(secs => $1) returning 1
         ), running as (
           update quenty.tasks set lease_until = now() + make_interval(secs => $2)
           where status = 'running' and lease_until > now() + make_interval(secs => $1) returning 1
         ), events as (
           update quenty.inbox set next_at = now()
           where status in ('waiting', 'unheard') and next_at > now() + make_interval(secs => $1) returning 1
         )
         select (select count(*) from ready) + (select count(*) from running) + (select count(*) from events) as \"count!\"",
        app.0.pace.farthest().as_secs_f64(),
        LEASE.as_secs_f64()
    )
    .fetch_one(app.db())
    .await?;
    if count > 0 {
        tracing::warn!(service = app.name(), count, "brought back what a clock that was ahead had put off");
    }
    Ok(())
}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_dead_letters))
        .routes(routes!(replay_dead_letter))
        .routes(routes!(discard_dead_letter))
}

/// List events and tasks that have given up.
#[utoipa::path(get, path = "/internal/dead-letters", tag = "operations", security(("bearer" = ["dead_letters:read"])), responses((status = 200, body = Vec<DeadLetter>)))]
async fn list_dead_letters(
    State(app): State<App>,
    _caller: Can<ReadDeadLetters>,
) -> Result<Json<Vec<DeadLetter>>> {
    Ok(Json(dead_letters(app.db()).await?))
}

/// Try a dead letter again.
#[utoipa::path(post, path = "/internal/dead-letters/{id}/replay", tag = "operations", params(("id" = Uuid, Path)), security(("bearer" = ["dead_letters:replay"])), responses((status = 204)))]
async fn replay_dead_letter(
    State(app): State<App>,
    _caller: Can<ReplayDeadLetters>,
    Path(id): Path<Uuid>,
) -> Result<Answer> {
    replay(app.db(), id).await?;
    app.0.retry_nudge.notify_one();
    Ok(Answer::no_content())
}

/// Give a dead letter up.
#[utoipa::path(post, path = "/internal/dead-letters/{id}/discard", tag = "operations", params(("id" = Uuid, Path)), security(("bearer" = ["dead_letters:discard"])), responses((status = 204)))]
async fn discard_dead_letter(
    State(app): State<App>,
    _caller: Can<DiscardDeadLetters>,
    Path(id): Path<Uuid>,
) -> Result<Answer> {
    discard(app.db(), id).await?;
    Ok(Answer::no_content())
}
