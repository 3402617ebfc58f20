//! Answers that their service lets be kept (RFC 9111), kept for each company apart: nobody is ever shown what was made
//! for another. Only what says `public` or `s-maxage` is kept, for the gateway stands before everybody.
//!
//! Several gateways share what they keep in Redis, where there is one.
//!
//! Of many that ask at once for what was kept and is no longer fresh, one is sent inward and the others wait for it; or are
//! shown what is stale while the gateway itself asks, or because its service cannot answer, as long as that service allows
//! (RFC 5861). Of what was never kept nobody waits for another. What a change has made untrue is not shown.

mod life;
mod purges;
mod shared;
mod shelf;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use axum::body::Body;
use http_body_util::BodyExt;
use hyper::{
    HeaderMap, Method, Response, StatusCode,
    body::Body as _,
    header::{self, HeaderName},
};
use moka::future::Cache as Store;
use quenty_kernel::Failure;
use quenty_platform::{
    redis::Redis,
    settings::{Settings, SettingsError},
    token::{Claims, Realm},
};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio_util::task::TaskTracker;

pub(crate) use self::shelf::has_this;
use self::{
    life::Life,
    purges::Purges,
    shared::Shared,
    shelf::{Copy, Shelf, answers_to, wants_new},
};
use crate::{bodies::Outgoing, edge::TRACEPARENT, exchange::Exchange, upstream::broken_off};

/// To what an answer belongs, and what a change concerns beside its own path (RFC 9875).
static GROUPS: HeaderName = HeaderName::from_static("cache-groups");
static CONCERNED: HeaderName = HeaderName::from_static("cache-group-invalidation");
/// A larger answer is not kept.
const LARGEST: u64 = 1 << 20;
/// What a copy takes beside its body, about.
const AROUND: usize = 1024;
/// Ways of asking for the same that are kept apart.
const MOST_COPIES: usize = 8;
const MOST_ASKED_AT_ONCE: u64 = 10_000;

/// Whose copy, and of what.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Place {
    audience: String,
    path: String,
}

/// What the gateway keeps.
pub(crate) struct Cache {
    shelves: Store<Place, Arc<Shelf>>,
    shared: Option<Shared>,
    purges: Purges,
    /// Who asks for what is no longer fresh holds its lock.
    asking: Store<Place, Arc<Mutex<()>>>,
    /// Requests that nobody waits for: stale copies that are being renewed.
    renewals: TaskTracker,
}

impl Cache {
    /// # Errors
    /// When the setting is no number.
    pub(crate) fn of(settings: &Settings, redis: Option<Redis>) -> Result<Self, SettingsError> {
        let weight = |place: &Place, shelf: &Arc<Shelf>| {
            let copies = shelf.copies.iter().map(|copy| copy.body.len() + AROUND).sum::<usize>();
            u32::try_from(copies + place.path.len()).unwrap_or(u32::MAX)
        };
        let shelves = Store::builder().max_capacity(settings.parse("cache_bytes")?).weigher(weight);
        let asking = Store::builder().max_capacity(MOST_ASKED_AT_ONCE);
        let shelves = shelves.time_to_live(life::LONGEST).build();
        let purges = Purges::new(redis.as_ref().map(Redis::for_another_use));
        let (shared, renewals) = (redis.map(Shared::new), TaskTracker::new());
        Ok(Self { shelves, shared, purges, asking: asking.build(), renewals })
    }

    /// The answer to a request: a kept one that is fresh, or its service's, which is kept if that lets it be.
    ///
    /// # Errors
    /// Those of the exchange.
    pub(crate) async fn answer(
        &self,
        exchange: &Exchange<'_>,
        caller: Option<&Claims>,
        request: Outgoing,
    ) -> Result<Response<Body>, Failure> {
        let operation = exchange.operation;
        // Of most operations nothing is ever kept; those pay nothing for it, and the others once.
        if !operation.is_kept.load(Ordering::Relaxed) {
            let response = exchange.run(request).await?;
            if operation.is_read {
                operation.is_kept.store(life(&response).is_some(), Ordering::Relaxed);
            } else {
                self.purges.purge(concerned(exchange, None, &response)).await;
            }
            return Ok(response);
        }
        // On the heap, for most requests need no room for it.
        Box::pin(self.answer_kept(exchange, caller, request)).await
    }

    async fn answer_kept(
        &self,
        exchange: &Exchange<'_>,
        caller: Option<&Claims>,
        request: Outgoing,
    ) -> Result<Response<Body>, Failure> {
        if !exchange.operation.is_read {
            let path = request.parts.uri.path().to_owned();
            let response = exchange.run(request).await?;
            self.purges.purge(concerned(exchange, Some(path), &response)).await;
            return Ok(response);
        }
        let headers = &request.parts.headers;
        let is_plain = request.parts.method == Method::GET
            && !headers.contains_key(header::RANGE)
            && !says(headers, "no-store");
        if !is_plain {
            return exchange.run(request).await;
        }
        let place = Place { audience: audience(caller), path: request.parts.uri.to_string() };
        self.purges.hear().await;
        let own = self.own_shelf(exchange, &place).await;
        let shelf = if own.is_some() { own } else { self.shelf_of_others(exchange, &place).await };
        let Some(shelf) = shelf else {
            // Nothing of this place was ever kept: most are of this kind, and need not wait for each other.
            return self.ask(exchange, place, request, None).await;
        };
        if let Some(copy) = shelf.fresh(headers) {
            return Ok(copy.told_to(headers));
        }
        let lock = self.asking.get_with(place.clone(), std::future::ready(Arc::default())).await;
        if let Some(copy) = shelf.wanted(headers).filter(|copy| copy.may_be_shown_while_renewed()) {
            let told = copy.told_in_its_place(headers, "renewal");
            if let Ok(turn) = lock.try_lock_owned() {
                self.renew(exchange, place, request, turn);
            }
            return Ok(told);
        }
        let Ok(turn) = tokio::time::timeout(exchange.patience, lock.lock_owned()).await else {
            let stale = shelf.wanted(headers).filter(|copy| copy.may_be_shown_on_error());
            return stale
                .map(|copy| copy.told_in_its_place(headers, "error"))
                .ok_or_else(|| exchange.too_slow());
        };
        self.ask_in_turn(exchange, place, request, turn).await
    }

    /// Asks while somebody is shown what is stale.
    fn renew(&self, exchange: &Exchange<'_>, place: Place, request: Outgoing, turn: OwnedMutexGuard<()>) {
        let (gateway, operation) = (exchange.gateway.clone(), Arc::clone(exchange.operation));
        let (patience, caller) = (exchange.patience, exchange.caller);
        self.renewals.spawn(async move {
            let exchange =
                Exchange { gateway: &gateway, operation: &operation, is_file: false, patience, caller };
            let outcome = gateway.0.cache.ask_in_turn(&exchange, place, request, turn).await;
            if let Err(failure) = outcome {
                tracing::debug!(code = failure.code, "a stale answer could not be renewed");
            }
        });
    }

    /// Waits for the renewals that run.
    pub(crate) async fn finish_renewals(&self) {
        self.renewals.close();
        self.renewals.wait().await;
    }

    /// As whoever holds the lock of the place: others may have asked before, or found out that it is not to be kept any
    /// more.
    async fn ask_in_turn(
        &self,
        exchange: &Exchange<'_>,
        place: Place,
        request: Outgoing,
        turn: OwnedMutexGuard<()>,
    ) -> Result<Response<Body>, Failure> {
        let own = self.own_shelf(exchange, &place).await;
        let is_fresh = own.as_ref().is_some_and(|shelf| shelf.fresh(&request.parts.headers).is_some());
        let shelf = if is_fresh { own } else { self.shelf_of_others(exchange, &place).await.or(own) };
        match shelf {
            Some(shelf) => match shelf.fresh(&request.parts.headers) {
                Some(copy) => Ok(copy.told_to(&request.parts.headers)),
                None => {
                    let stale = shelf.copy(&request.parts.headers).cloned();
                    self.ask(exchange, place, request, stale).await
                }
            },
            None => {
                drop(turn);
                self.ask(exchange, place, request, None).await
            }
        }
    }

    /// Where gateways keep a place together. Queries are endless: what has one is kept by each, within its bounds.
    fn shared(&self, place: &Place) -> Option<&Shared> {
        self.shared.as_ref().filter(|_| !place.path.contains('?'))
    }

    /// What other gateways keep of a place, which is kept here, too, from now on.
    async fn shelf_of_others(&self, exchange: &Exchange<'_>, place: &Place) -> Option<Arc<Shelf>> {
        let found = Arc::new(self.shared(place)?.shelf(place).await?);
        let found = self.without_purged(exchange, place, found);
        self.shelves.insert(place.clone(), Arc::clone(&found)).await;
        Some(found)
    }

    async fn own_shelf(&self, exchange: &Exchange<'_>, place: &Place) -> Option<Arc<Shelf>> {
        let shelf = self.shelves.get(place).await?;
        Some(self.without_purged(exchange, place, shelf))
    }

    fn without_purged(&self, exchange: &Exchange<'_>, place: &Place, shelf: Arc<Shelf>) -> Arc<Shelf> {
        let is_purged = |copy: &Copy| self.is_purged(exchange, &place.path, copy);
        if !shelf.copies.iter().any(is_purged) {
            return shelf;
        }
        let copies = shelf.copies.iter().filter(|copy| !is_purged(copy)).cloned().collect();
        Arc::new(Shelf { vary: shelf.vary.clone(), copies })
    }

    fn is_purged(&self, exchange: &Exchange<'_>, path: &str, copy: &Copy) -> bool {
        let path = path.split('?').next().unwrap_or_default().to_owned();
        let names = std::iter::once(path).chain(groups(exchange, &copy.headers, &GROUPS));
        self.purges.concern(names, copy.made)
    }

    /// Asks the service; what is stale stands in for an answer that it cannot give, if it may.
    async fn ask(
        &self,
        exchange: &Exchange<'_>,
        place: Place,
        request: Outgoing,
        stale: Option<Copy>,
    ) -> Result<Response<Body>, Failure> {
        let (asked, path) = (request.parts.headers.clone(), place.path.clone());
        let outcome = self.fetch(exchange, place, request, stale.as_ref()).await;
        let is_error = outcome.as_ref().map_or(true, |response| response.status().is_server_error());
        let may_be_shown = |copy: &Copy| {
            !wants_new(&asked) && copy.may_be_shown_on_error() && !self.is_purged(exchange, &path, copy)
        };
        match stale.filter(|copy| is_error && may_be_shown(copy)) {
            Some(copy) => Ok(copy.told_in_its_place(&asked, "error")),
            None => outcome,
        }
    }

    /// Asks the service; whether a stale copy still holds, where there is one.
    async fn fetch(
        &self,
        exchange: &Exchange<'_>,
        place: Place,
        mut request: Outgoing,
        stale: Option<&Copy>,
    ) -> Result<Response<Body>, Failure> {
        let asked = request.parts.headers.clone();
        let etag = stale.and_then(|copy| copy.headers.get(header::ETAG)).cloned();
        if let Some(etag) = &etag {
            request.parts.headers.insert(header::IF_NONE_MATCH, etag.clone());
        }
        let begun = Instant::now();
        let response = exchange.run(request).await?;
        if let (Some(stale), StatusCode::NOT_MODIFIED) = (stale.filter(|_| etag.is_some()), response.status())
        {
            let fresh = stale.clone().still_holds(response.headers(), begun);
            let told = fresh.told_to(&asked);
            self.keep(exchange, place, fresh, &asked).await;
            return Ok(told);
        }
        let Some(life) = life(&response) else {
            if stale_place_is_over(&response) {
                self.shelves.invalidate(&place).await;
                if let Some(shared) = self.shared(&place) {
                    shared.forget(&place).await;
                }
            }
            return Ok(response);
        };
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|_| broken_off(&Method::GET))?.to_bytes();
        let mut headers = parts.headers;
        headers.remove(TRACEPARENT);
        let copy = Copy { asked: Vec::new(), headers, body, made: begun, life };
        let told = copy.told_to(&asked);
        self.keep(exchange, place, copy, &asked).await;
        Ok(told)
    }

    async fn keep(&self, exchange: &Exchange<'_>, place: Place, mut copy: Copy, asked: &HeaderMap) {
        let vary: Vec<HeaderName> =
            words(&copy.headers, &header::VARY).filter_map(|name| name.parse().ok()).collect();
        copy.asked = answers_to(&vary, asked);
        let others = self.own_shelf(exchange, &place).await.filter(|shelf| shelf.vary == vary);
        let others = others.iter().flat_map(|shelf| &shelf.copies).filter(|other| other.asked != copy.asked);
        let copies = std::iter::once(&copy).chain(others).take(MOST_COPIES).cloned().collect();
        let shelf = Arc::new(Shelf { vary, copies });
        if let Some(shared) = self.shared(&place) {
            shared.keep(&place, &shelf, copy.life.whole()).await;
        }
        self.shelves.insert(place, shelf).await;
    }
}

/// How long an answer may be kept by those who stand between; `None` when it may not.
fn life(response: &Response<Body>) -> Option<Life> {
    let headers = response.headers();
    let is_small = response.body().size_hint().exact().is_some_and(|size| size <= LARGEST);
    let is_whole = response.status() == StatusCode::OK
        && !headers.contains_key(header::SET_COOKIE)
        && !words(headers, &header::VARY).any(|name| name == "*");
    if is_small && is_whole { Life::promised(headers) } else { None }
}

/// Whether an answer shows that what was kept of its place holds no longer; that a service is away shows nothing.
fn stale_place_is_over(response: &Response<Body>) -> bool {
    !response.status().is_server_error() && response.status() != StatusCode::NOT_MODIFIED
}

fn says(headers: &HeaderMap, directive: &str) -> bool {
    words(headers, &header::CACHE_CONTROL).any(|said| said.eq_ignore_ascii_case(directive))
}

fn words<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

/// What is shown no more after a change: its path, and what its service says that it concerns.
fn concerned(exchange: &Exchange<'_>, path: Option<String>, response: &Response<Body>) -> Vec<String> {
    if !response.status().is_success() && !response.status().is_redirection() {
        return Vec::new();
    }
    path.into_iter().chain(groups(exchange, response.headers(), &CONCERNED)).collect()
}

/// The groups that a header names, of this service and of no other.
fn groups(exchange: &Exchange<'_>, headers: &HeaderMap, name: &HeaderName) -> impl Iterator<Item = String> {
    let service = exchange.gateway.0.upstreams[exchange.operation.upstream].name;
    words(headers, name).map(move |group| format!("{service} {}", group.trim_matches('"')))
}

/// For whom an answer may be the same: everybody of a company, else one person, else anyone without a token.
fn audience(caller: Option<&Claims>) -> String {
    match caller {
        None => String::new(),
        Some(Claims { realm: Realm::Company, company_id: Some(company), .. }) => company.to_string(),
        Some(claims) => claims.sub.clone(),
    }
}
