//! Which web pages may call from a browser (the Fetch standard's CORS protocol). Callers prove who they are by a token
//! in a header, never by a cookie, so credentials in the standard's sense are never allowed.

use axum::body::Body;
use hyper::{
    HeaderMap, Method, Response, StatusCode,
    header::{self, HeaderValue},
};
use quenty_kernel::{Failure, Kind};
use quenty_platform::settings::{Settings, SettingsError};

use crate::config;

const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, idempotency-key, if-match, if-none-match, last-event-id, traceparent, x-api-key, x-request-id",
);
const ANSWER_HEADERS: HeaderValue = HeaderValue::from_static(
    "allow, content-disposition, deprecation, etag, idempotency-replayed, link, location, ratelimit, ratelimit-policy, retry-after, sunset, www-authenticate, x-request-id",
);
const ANY: HeaderValue = HeaderValue::from_static("*");

/// The pages that may call.
#[derive(Debug)]
pub(crate) struct Cors {
    any: bool,
    origins: Vec<HeaderValue>,
    max_age: HeaderValue,
}

impl Cors {
    /// # Errors
    /// When an origin is no header value, or the age no number.
    pub(crate) fn of(settings: &Settings) -> Result<Self, SettingsError> {
        let origins: Vec<HeaderValue> = config::list(settings, "cors_origins")?;
        let max_age: u32 = settings.parse("cors_max_age_seconds")?;
        Ok(Self { any: origins.contains(&ANY), origins, max_age: max_age.into() })
    }

    fn is_on(&self) -> bool {
        !self.origins.is_empty()
    }

    fn allows(&self, origin: &HeaderValue) -> bool {
        self.any || self.origins.contains(origin)
    }

    /// Whether a browser asks beforehand what a page may send.
    pub(crate) fn is_preflight(&self, method: &Method, headers: &HeaderMap) -> bool {
        self.is_on()
            && method == Method::OPTIONS
            && headers.contains_key(header::ORIGIN)
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// What a page may send to a path that takes these methods.
    ///
    /// # Errors
    /// 403 to a page that may not call.
    pub(crate) fn preflight(&self, methods: &[&str], headers: &HeaderMap) -> Result<Response<Body>, Failure> {
        if !headers.get(header::ORIGIN).is_some_and(|origin| self.allows(origin)) {
            let detail = "pages of this origin may not call; the setting cors_origins lists those that may";
            return Err(Failure::new(Kind::Forbidden, "ORIGIN_NOT_ALLOWED", detail));
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let told = response.headers_mut();
        if let Ok(methods) = HeaderValue::try_from(methods.join(", ")) {
            told.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        }
        told.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
        told.insert(header::ACCESS_CONTROL_MAX_AGE, self.max_age.clone());
        Ok(response)
    }

    /// Tells the browser whether the page may read the answer.
    pub(crate) fn tell(&self, origin: Option<&HeaderValue>, answer: &mut HeaderMap) {
        if !self.is_on() {
            return;
        }
        if !self.any {
            answer.append(header::VARY, HeaderValue::from_static("origin"));
        }
        let Some(origin) = origin.filter(|origin| self.allows(origin)) else { return };
        let allowed = if self.any { ANY } else { origin.clone() };
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, ANSWER_HEADERS);
    }
}
