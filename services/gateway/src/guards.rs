//! Headers that keep browsers from doing with an answer what it is not meant for (OWASP ASVS 5.0, 3.4).

use hyper::{
    HeaderMap,
    header::{self, HeaderName, HeaderValue},
};
use quenty_platform::settings::{Settings, SettingsError};

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// Answers are data: nothing in them runs, and no page frames them.
const DATA: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// Pages for people: their own scripts; styles and pictures stand within them, too.
const PAGE: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);

/// What is said with every answer.
#[derive(Debug)]
pub(crate) struct Guards {
    /// `Strict-Transport-Security` (RFC 6797); only said over TLS.
    transport: Option<HeaderValue>,
}

impl Guards {
    /// # Errors
    /// When the setting is no number.
    pub(crate) fn of(settings: &Settings) -> Result<Self, SettingsError> {
        let seconds: u32 = settings.parse("hsts_seconds")?;
        let transport = (seconds > 0).then(|| format!("max-age={seconds}; includeSubDomains"));
        Ok(Self { transport: transport.and_then(|text| HeaderValue::try_from(text).ok()) })
    }

    /// Adds what the service has not said itself.
    pub(crate) fn add(&self, by_tls: bool, is_page: bool, answer: &mut HeaderMap) {
        let mut say = |name: HeaderName, value: HeaderValue| {
            answer.entry(name).or_insert(value);
        };
        say(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        say(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        say(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        say(header::CONTENT_SECURITY_POLICY, if is_page { PAGE } else { DATA });
        say(PERMISSIONS_POLICY, HeaderValue::from_static("camera=(), geolocation=(), microphone=()"));
        say(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
        // What a service does not say to keep is kept by nobody: most of it is somebody's.
        say(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(transport) = self.transport.as_ref().filter(|_| by_tls) {
            say(header::STRICT_TRANSPORT_SECURITY, transport.clone());
        }
    }
}
