//! Live streams (server-sent events): they read stored feed positions and are only woken by broadcasts, so
//! that `Last-Event-ID` works on any replica.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::FromRequestParts,
    http::{HeaderName, request::Parts},
    response::sse::{Event as SseEvent, KeepAlive, Sse},
};
use futures_util::{Stream, StreamExt, stream};
use quenty_kernel::{Scope, id::TypedId};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::{App, Result};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// The longest wait when a wake-up was lost.
const POLL: Duration = Duration::from_secs(1);
const BATCH: i64 = 100;

/// Where a stream resumes: after `Last-Event-ID`, or from now on.
#[derive(Debug, Clone, Copy)]
pub struct ResumeAfter(pub Option<i64>);

impl<S: Send + Sync> FromRequestParts<S> for ResumeAfter {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.headers.get(LAST_EVENT_ID).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok())))
    }
}

/// One event of a stream, as OpenAPI documents describe it (WHATWG HTML, 9.2).
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only described: what is sent are lines of text")]
pub struct StreamedEvent {
    /// What `Last-Event-ID` resumes after.
    id: Option<String>,
    /// Its kind.
    event: Option<String>,
    /// JSON.
    data: String,
}

struct Item {
    position: i64,
    kind: String,
    data: serde_json::Value,
}

/// Whose facts a stream shows.
#[derive(Debug, Clone)]
struct Filter {
    scope: Scope,
    prefix: &'static str,
    only: Option<String>,
}

/// Streams the published facts of a scope: of one aggregate if `stream` is given, else of all whose id has `prefix`.
///
/// # Errors
/// When the feed cannot be read.
pub async fn facts(
    app: App,
    scope: Scope,
    prefix: &'static str,
    only: Option<String>,
    resume: ResumeAfter,
) -> Result<Sse<impl Stream<Item = Result<SseEvent, Infallible>>>> {
    let start = start(&app, resume).await?;
    Ok(Sse::new(after(app, Filter { scope, prefix, only }, start)).keep_alive(KeepAlive::default()))
}

/// As [`facts`] of one aggregate, with its present state first, as the event `snapshot`. The state is read after
/// the position is taken, so that nothing happens unseen between the two; a fact may be seen in both.
///
/// # Errors
/// When the feed cannot be read, or the snapshot fails.
pub async fn snapshot_and_facts<I: TypedId, S: Serialize>(
    app: App,
    scope: Scope,
    id: I,
    resume: ResumeAfter,
    snapshot: impl Future<Output = Result<S>>,
) -> Result<Sse<impl Stream<Item = Result<SseEvent, Infallible>>>> {
    let start = start(&app, resume).await?;
    let snapshot = serde_json::to_string(&snapshot.await?)?;
    let first = SseEvent::default().id(start.to_string()).event("snapshot").data(snapshot);
    let events = after(app, Filter { scope, prefix: I::PREFIX, only: Some(id.to_string()) }, start);
    Ok(Sse::new(stream::once(std::future::ready(Ok(first))).chain(events)).keep_alive(KeepAlive::default()))
}

async fn start(app: &App, resume: ResumeAfter) -> Result<i64> {
    match resume.0 {
        Some(position) => Ok(position),
        None => last(app).await,
    }
}

/// The relay gives positions out in the order of its commits: there is nothing below the last that comes later.
async fn last(app: &App) -> Result<i64> {
    Ok(sqlx::query_scalar!("select coalesce(max(position), 0) as \"last!\" from quenty.feed")
        .fetch_one(app.db())
        .await?)
}

fn after(app: App, filter: Filter, start: i64) -> impl Stream<Item = Result<SseEvent, Infallible>> {
    let state = (app, start, Vec::<Item>::new().into_iter());
    stream::unfold(state, move |(app, mut position, mut ready)| {
        let filter = filter.clone();
        async move {
            loop {
                if let Some(item) = ready.next() {
                    let event = SseEvent::default()
                        .id(item.position.to_string())
                        .event(item.kind)
                        .data(item.data.to_string());
                    return Some((Ok(event), (app, position, ready)));
                }
                if app.stopping().is_cancelled() {
                    return None;
                }
                let woken = app.0.feed_nudge.notified();
                match read(&app, &filter, position).await {
                    Ok((items, read_to)) => {
                        position = read_to;
                        ready = items.into_iter();
                        if ready.len() > 0 {
                            continue;
                        }
                    }
                    Err(error) => tracing::warn!(service = app.name(), %error, "a live stream paused"),
                }
                tokio::select! {
                    () = woken => {}
                    () = app.stopping().cancelled() => {}
                    () = tokio::time::sleep(POLL) => {}
                }
            }
        }
    })
}

/// What came after a position, and up to where the feed has been read: what is not ours is not read again.
async fn read(app: &App, filter: &Filter, after: i64) -> Result<(Vec<Item>, i64)> {
    let last = last(app).await?;
    let rows = sqlx::query!(
        "select f.position, f.type as kind, f.stream, j.data, j.occurred_at, j.stream_version
         from quenty.feed f join quenty.journal j on j.id = f.event_id
         where f.position > $1 and f.position <= $2 and ($3::uuid is null or f.company_id = $3)
           and ($4::text is null or f.stream = $4) and f.stream like $5 || '-%'
         order by f.position limit $6",
        after,
        last,
        filter.scope.company_uuid(),
        filter.only,
        filter.prefix,
        BATCH
    )
    .fetch_all(app.db())
    .await?;
    let items: Vec<Item> = rows
        .into_iter()
        .map(|row| Item {
            position: row.position,
            data: json!({"id": row.stream, "type": row.kind, "version": row.stream_version, "time": row.occurred_at.to_jiff(), "data": row.data}),
            kind: row.kind,
        })
        .collect();
    let full = items.len() as i64 == BATCH;
    let read_to = items.last().filter(|_| full).map_or(last.max(after), |item| item.position);
    Ok((items, read_to))
}
