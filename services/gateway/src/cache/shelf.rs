//! What is kept of one place, and what is shown of it.

use std::time::Instant;

use axum::body::{Body, Bytes};
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{self, HeaderName, HeaderValue},
};

use super::{life::Life, says, words};

/// Kept answers of one place: one for each way of asking that its service tells apart (`Vary`).
#[derive(Debug, Default)]
pub(super) struct Shelf {
    pub(super) vary: Vec<HeaderName>,
    pub(super) copies: Vec<Copy>,
}

#[derive(Debug, Clone)]
pub(super) struct Copy {
    /// Of the headers in the shelf's `vary`, as the request had them.
    pub(super) asked: Vec<Option<HeaderValue>>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// When it was asked for.
    pub(super) made: Instant,
    pub(super) life: Life,
}

impl Shelf {
    pub(super) fn copy(&self, asked: &HeaderMap) -> Option<&Copy> {
        let asked = answers_to(&self.vary, asked);
        self.copies.iter().find(|copy| copy.asked == asked)
    }

    /// As [`Shelf::copy`], for who does not ask for what is new.
    pub(super) fn wanted(&self, asked: &HeaderMap) -> Option<&Copy> {
        self.copy(asked).filter(|_| !wants_new(asked))
    }

    pub(super) fn fresh(&self, asked: &HeaderMap) -> Option<&Copy> {
        self.wanted(asked).filter(|copy| copy.made.elapsed() < copy.life.fresh)
    }
}

impl Copy {
    /// The answer; only that nothing has changed, to who has this very copy already.
    pub(super) fn told_to(&self, asked: &HeaderMap) -> Response<Body> {
        let has_it = self.headers.get(header::ETAG).is_some_and(|etag| has_this(asked, etag));
        let mut response = Response::new(if has_it { Body::empty() } else { Body::from(self.body.clone()) });
        *response.headers_mut() = self.headers.clone();
        if has_it {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response.headers_mut().remove(header::CONTENT_LENGTH);
        }
        response.headers_mut().insert(header::AGE, HeaderValue::from(self.made.elapsed().as_secs()));
        response
    }

    pub(super) fn may_be_shown_while_renewed(&self) -> bool {
        self.made.elapsed() < self.life.fresh + self.life.while_renewed
    }

    pub(super) fn may_be_shown_on_error(&self) -> bool {
        self.made.elapsed() < self.life.fresh + self.life.if_error
    }

    /// As [`Copy::told_to`], of what is stale.
    pub(super) fn told_in_its_place(&self, asked: &HeaderMap, because: &'static str) -> Response<Body> {
        metrics::counter!("quenty_gateway_stale_answers_total", "because" => because).increment(1);
        self.told_to(asked)
    }

    pub(super) fn still_holds(mut self, told: &HeaderMap, made: Instant) -> Self {
        for name in [header::CACHE_CONTROL, header::ETAG, header::EXPIRES] {
            if let Some(value) = told.get(&name) {
                self.headers.insert(name, value.clone());
            }
        }
        self.life = Life::promised(&self.headers).unwrap_or(self.life);
        Self { made, ..self }
    }
}

/// Whether who asks is not content with what is kept.
pub(super) fn wants_new(asked: &HeaderMap) -> bool {
    says(asked, "no-cache") || says(asked, "max-age=0")
}

pub(super) fn answers_to(vary: &[HeaderName], asked: &HeaderMap) -> Vec<Option<HeaderValue>> {
    vary.iter().map(|name| asked.get(name).cloned()).collect()
}

/// Whether who asks has the very copy with this tag already (RFC 9110, 13.1.2).
pub(crate) fn has_this(asked: &HeaderMap, etag: &HeaderValue) -> bool {
    etag.to_str().is_ok_and(|etag| {
        words(asked, &header::IF_NONE_MATCH).any(|seen| seen == "*" || weak(seen) == weak(etag))
    })
}

fn weak(etag: &str) -> &str {
    etag.trim().trim_start_matches("W/")
}
