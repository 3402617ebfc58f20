//! Live streams (server-sent events): they read stored feed positions and are only woken by broadcasts, so
//! that `Last-Event-ID` works on any replica. None outlives the token that it was opened with, and nobody has more of
//! them than their share.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    extract::FromRequestParts,
    http::{HeaderName, HeaderValue, request::Parts},
    response::sse::{Event as SseEvent, KeepAlive, Sse},
};
use futures_util::{Stream, StreamExt, stream};
use quenty_kernel::{Failure, Kind, Scope, id::TypedId, network};
use serde::Serialize;
use serde_json::json;
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::{
    App, Error, Result,
    http::{Caller, Can, Permission, client_address},
};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// The longest wait when a wake-up was lost.
const POLL: Duration = Duration::from_secs(1);
const BATCH: i64 = 100;

/// How many streams of one service a caller may have open in a process: a few screens.
pub const MOST_OF_CALLER: usize = 10;
/// As many may all callers have together: each stream reads once a second, by the few connections that requests read
/// by, too.
const MOST_OF_CALLERS: usize = 200;
/// As many may strangers have from one network ([`network::of`]).
pub const MOST_OF_STRANGER: usize = 10;
/// As many may all strangers have together: they take nothing from callers.
const MOST_OF_STRANGERS: usize = 200;
/// Then a stream ends in order, whoever listens: its client connects again, perhaps to another process.
const LONGEST_LIFE: Duration = Duration::from_secs(60 * 60);
/// Seconds until who was refused a stream may ask again.
const ASK_AGAIN_AFTER: u32 = 5;

/// Where a stream resumes: after `Last-Event-ID`, or from now on. One that is no position is before all of them.
#[derive(Debug, Clone, Copy)]
pub struct ResumeAfter(pub Option<i64>);

impl<S: Send + Sync> FromRequestParts<S> for ResumeAfter {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let position = |id: &HeaderValue| id.to_str().ok().and_then(|id| id.parse::<i64>().ok());
        let asked = parts.headers.get(LAST_EVENT_ID).filter(|id| !id.is_empty());
        Ok(Self(asked.map(|id| position(id).unwrap_or(-1))))
    }
}

/// One event of a stream, as OpenAPI documents describe it (WHATWG HTML, 9.2).
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only described: what is sent are lines of text")]
pub struct StreamedEvent {
    /// What `Last-Event-ID` resumes after.
    id: Option<String>,
    /// Its kind. `gap`, first of all, when events are missing since `Last-Event-ID`: it is unknown, or older than a week.
    /// Then read again what you follow; the stream goes on from now.
    event: Option<String>,
    /// JSON.
    data: String,
}

/// Who has a place: a caller, for whichever company, or a stranger, by address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Holder {
    Caller(String),
    Stranger(Option<IpAddr>),
}

impl Holder {
    fn is_stranger(&self) -> bool {
        matches!(self, Self::Stranger(_))
    }
}

/// From where a stranger listens.
#[derive(Debug, Clone, Copy)]
pub struct Whereabouts(Option<IpAddr>);

impl FromRequestParts<App> for Whereabouts {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self(client_address(parts, app).map(network::of)))
    }
}

/// The places of a service's streams in one process, by who has them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places(Arc<Mutex<BTreeMap<Holder, usize>>>);

impl Places {
    fn take(&self, holder: Holder) -> Result<Place, Failure> {
        let mut taken = self.taken();
        let own = taken.get(&holder).copied().unwrap_or_default();
        let like_it = taken.iter().filter(|(other, _)| other.is_stranger() == holder.is_stranger());
        let together: usize = like_it.map(|(_, count)| *count).sum();
        let (most, most_together) = match &holder {
            Holder::Caller(_) => (MOST_OF_CALLER, MOST_OF_CALLERS),
            Holder::Stranger(_) => (MOST_OF_STRANGER, MOST_OF_STRANGERS),
        };
        if own >= most || together >= most_together {
            return Err(Failure::new(
                Kind::TooManyRequests,
                "TOO_MANY_STREAMS",
                "as many live streams are open as may be; close those that nobody watches, or try again",
            )
            .retry_after(ASK_AGAIN_AFTER));
        }
        taken.insert(holder.clone(), own + 1);
        Ok(Place { places: self.clone(), holder, ends_at: Instant::now() + LONGEST_LIFE })
    }

    fn taken(&self) -> MutexGuard<'_, BTreeMap<Holder, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of an open stream; whoever drops it gives it back.
#[derive(Debug)]
pub struct Place {
    places: Places,
    holder: Holder,
    ends_at: Instant,
}

impl Place {
    /// For another stream of somebody who is nobody in particular.
    ///
    /// # Errors
    /// 429 when as many come from there, or together, as may. Not 503, which says of the process that it is not well:
    /// gateways would leave it alone.
    pub fn take(app: &App, Whereabouts(address): Whereabouts) -> Result<Self, Failure> {
        app.0.streams.take(Holder::Stranger(address))
    }

    /// Comes when the stream has had its time.
    pub async fn over(&self) {
        tokio::time::sleep_until(self.ends_at).await;
    }

    fn is_over(&self, now: Instant) -> bool {
        now >= self.ends_at
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        let left = taken.get(&self.holder).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            taken.remove(&self.holder);
        } else {
            taken.insert(self.holder.clone(), left);
        }
    }
}

/// Who listens to a stream, for as long as it is open.
struct Listener {
    app: App,
    caller: Caller,
    place: Place,
}

impl Listener {
    fn admit(app: App, caller: &Caller) -> Result<Self, Failure> {
        let place = app.0.streams.take(Holder::Caller(caller.actor().to_string()))?;
        Ok(Self { place, caller: caller.clone(), app })
    }

    /// Not when the process ends or the stream had its time, nor once the token has expired or was revoked.
    fn may_go_on(&self) -> bool {
        !self.app.stopping().is_cancelled()
            && !self.place.is_over(Instant::now())
            && self.caller.is_still_let_in(&self.app)
    }
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

/// Streams the published facts of the caller's scope: of one aggregate if `only` is given, else of all whose id has
/// `prefix`. First `gap`, if the stream cannot begin where it was asked to.
///
/// # Errors
/// 429 when too many are open; when the feed cannot be read.
pub async fn facts<P: Permission>(
    app: App,
    caller: Can<P>,
    prefix: &'static str,
    only: Option<String>,
    resume: ResumeAfter,
) -> Result<Sse<impl Stream<Item = Result<SseEvent, Infallible>>>> {
    let filter = Filter { scope: caller.scope()?, prefix, only };
    let listener = Listener::admit(app, &caller)?;
    let start = Start::of(&listener.app, resume).await?;
    let events =
        stream::iter(start.gap()).chain(after(listener, filter, start.position, || async { Ok(()) }));
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// As [`facts`] of one aggregate, with its present state before them, as the event `snapshot`. The state is read after
/// the position is taken, so that nothing happens unseen between the two; a fact may be seen in both. It is read again
/// before facts are shown, so that the stream ends for who may not see it any more.
///
/// # Errors
/// As [`facts`], or when the state cannot be read.
pub async fn snapshot_and_facts<P, I, S, F>(
    app: App,
    caller: Can<P>,
    id: I,
    resume: ResumeAfter,
    state: impl Fn() -> F + Send + 'static,
) -> Result<Sse<impl Stream<Item = Result<SseEvent, Infallible>>>>
where
    P: Permission,
    I: TypedId,
    S: Serialize,
    F: Future<Output = Result<S>> + Send + 'static,
{
    let filter = Filter { scope: caller.scope()?, prefix: I::PREFIX, only: Some(id.to_string()) };
    let listener = Listener::admit(app, &caller)?;
    let start = Start::of(&listener.app, resume).await?;
    let snapshot = serde_json::to_string(&state().await?)?;
    let snapshot = SseEvent::default().id(start.position.to_string()).event("snapshot").data(snapshot);
    let first = stream::iter(start.gap().into_iter().chain([Ok(snapshot)]));
    let still = move || {
        let state = state();
        async move { state.await.map(drop) }
    };
    let events = first.chain(after(listener, filter, start.position, still));
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// After which position a stream begins.
struct Start {
    position: i64,
    /// Whether events are missing between what was asked for and this.
    is_after_gap: bool,
}

impl Start {
    async fn of(app: &App, ResumeAfter(resume): ResumeAfter) -> Result<Self> {
        let feed = sqlx::query!(
            "select coalesce(min(position), 1) as \"first!\", coalesce(max(position), 0) as \"last!\" from quenty.feed"
        )
        .fetch_one(app.db())
        .await?;
        // Not what the sequence has given out: that may not be committed yet.
        let known = feed.first - 1..=feed.last;
        Ok(match resume {
            Some(position) if known.contains(&position) => Self { position, is_after_gap: false },
            _ => Self { position: feed.last, is_after_gap: resume.is_some() },
        })
    }

    /// Its position is where to resume from now on.
    fn gap(&self) -> Option<Result<SseEvent, Infallible>> {
        let told = json!({"detail": "events are missing: read again what you follow"}).to_string();
        let event = SseEvent::default().id(self.position.to_string()).event("gap").data(told);
        self.is_after_gap.then_some(Ok(event))
    }
}

/// The relay gives positions out in the order of its commits: there is nothing below the last that comes later.
async fn last(app: &App) -> Result<i64> {
    Ok(sqlx::query_scalar!("select coalesce(max(position), 0) as \"last!\" from quenty.feed")
        .fetch_one(app.db())
        .await?)
}

/// What comes after a position, as long as `still` finds nothing against it.
fn after<F: Future<Output = Result<()>>>(
    listener: Listener,
    filter: Filter,
    start: i64,
    still: impl Fn() -> F,
) -> impl Stream<Item = Result<SseEvent, Infallible>> {
    let state = (listener, still, start, Vec::<Item>::new().into_iter());
    stream::unfold(state, move |(listener, still, mut position, mut ready)| {
        let filter = filter.clone();
        async move {
            // Asked before each event, too: who reads slowly may have left them here for long.
            while listener.may_go_on() {
                if let Some(item) = ready.next() {
                    let event = SseEvent::default()
                        .id(item.position.to_string())
                        .event(item.kind)
                        .data(item.data.to_string());
                    return Some((Ok(event), (listener, still, position, ready)));
                }
                let app = &listener.app;
                let woken = app.0.feed_nudge.notified();
                match read(app, &filter, position).await {
                    Ok((items, read_to)) if items.is_empty() => position = read_to,
                    // Asked after they were read: what is shown happened while it could be seen.
                    Ok((items, read_to)) => match still().await {
                        Ok(()) => {
                            position = read_to;
                            ready = items.into_iter();
                            continue;
                        }
                        Err(Error::Failure(_)) => return None,
                        Err(error) => tracing::warn!(service = app.name(), %error, "a live stream paused"),
                    },
                    Err(error) => tracing::warn!(service = app.name(), %error, "a live stream paused"),
                }
                tokio::select! {
                    () = woken => {}
                    () = app.stopping().cancelled() => {}
                    () = tokio::time::sleep(POLL) => {}
                }
            }
            None
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

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(name: &str) -> Holder {
        Holder::Caller(name.to_owned())
    }

    fn stranger(address: &str) -> Holder {
        Holder::Stranger(Some(address.parse().unwrap()))
    }

    fn taken(places: &Places, of: &str, count: usize) -> Vec<Place> {
        (0..count).map(|_| places.take(caller(of)).unwrap()).collect()
    }

    #[test]
    fn a_caller_has_so_many_places_and_gets_back_what_is_dropped() {
        let places = Places::default();
        let mut own = taken(&places, "ana", MOST_OF_CALLER);
        let refused = places.take(caller("ana")).unwrap_err();
        assert_eq!((refused.kind, refused.code), (Kind::TooManyRequests, "TOO_MANY_STREAMS"));
        assert!(refused.retry_after.is_some());
        assert!(places.take(caller("luis")).is_ok());
        own.pop();
        let _again = places.take(caller("ana")).unwrap();
        assert!(places.take(caller("ana")).is_err());
    }

    #[test]
    fn one_stranger_keeps_no_other_from_following() {
        let places = Places::default();
        let _own: Vec<_> =
            (0..MOST_OF_STRANGER).map(|_| places.take(stranger("192.0.2.1")).unwrap()).collect();
        assert!(places.take(stranger("192.0.2.1")).is_err());
        assert!(places.take(stranger("192.0.2.2")).is_ok());
    }

    #[test]
    fn callers_have_so_many_together_and_strangers_take_nothing_from_them() {
        let places = Places::default();
        let addresses = (0..MOST_OF_STRANGERS / MOST_OF_STRANGER)
            .map(|number| stranger(&format!("192.0.2.{number}")))
            .collect::<Vec<_>>();
        let _strangers: Vec<_> = addresses
            .iter()
            .flat_map(|address| (0..MOST_OF_STRANGER).map(|_| places.take(address.clone()).unwrap()))
            .collect();
        assert!(places.take(stranger("203.0.113.9")).is_err());
        let names = (0..MOST_OF_CALLERS / MOST_OF_CALLER).map(|number| number.to_string());
        let mut own: Vec<_> = names.map(|name| taken(&places, &name, MOST_OF_CALLER)).collect();
        assert!(places.take(caller("late")).is_err());
        own.pop();
        assert!(places.take(caller("late")).is_ok());
        drop(own);
        assert_eq!(places.taken().len(), addresses.len(), "nobody is kept who has nothing");
    }

    #[test]
    fn a_place_is_for_so_long() {
        let opened_at = Instant::now();
        let place = Places::default().take(stranger("192.0.2.1")).unwrap();
        assert!(!place.is_over(opened_at + LONGEST_LIFE.saturating_sub(POLL)));
        assert!(place.is_over(Instant::now() + LONGEST_LIFE));
    }
}
