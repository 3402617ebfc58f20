//! What the gateway reads beside the chassis's settings.

use std::{str::FromStr, time::Duration};

use quenty_platform::settings::{Setting, Settings, SettingsError};

pub(crate) const SETTINGS: [Setting; 21] = [
    Setting::new("upstream_timeout_ms", "a service that has not begun to answer by then is a 504")
        .default("20000"),
    Setting::new("header_timeout_ms", "a client that has not sent its headers by then is cut off")
        .default("10000"),
    Setting::new("write_timeout_ms", "a client that has read nothing of its answer for so long is cut off")
        .default("30000"),
    Setting::new("max_header_bytes", "a request with a longer head gets 431; 8192 at least").default("65536"),
    Setting::new("max_json_depth", "JSON that is nested deeper gets 422").default("64"),
    Setting::new(
        "trusted_proxies",
        "networks of proxies before the gateway, like `10.0.0.0/8, ::1`: their X-Forwarded-For and -Proto are believed",
    )
    .default(""),
    Setting::new(
        "cors_origins",
        "web origins that browsers may call from, like `https://shop.example`, by commas; `*` for all",
    )
    .default(""),
    Setting::new("cors_max_age_seconds", "how long browsers may keep what they were told about an origin")
        .default("600"),
    Setting::new("hsts_seconds", "Strict-Transport-Security where a request came by TLS; 0 for none")
        .default("31536000"),
    Setting::new(
        "limit_public",
        "requests that nobody answers for, `requests/seconds` for each address (IPv6: each /64), or `off`",
    )
    .default("1000/10")
    .reloadable(),
    Setting::new("limit_auth", "logins, registrations and the like, for each address").default("300/10")
    .reloadable(),
    Setting::new("limit_read", "reads, for each API key or user").default("10000/10")
    .reloadable(),
    Setting::new("limit_write", "changes, for each API key or user").default("10000/10")
    .reloadable(),
    Setting::new("limit_bulk", "whole files of orders and the like, for each API key or user")
        .default("100/10")
    .reloadable(),
    Setting::new(
        "upstream_concurrency",
        "requests of one service at a time at most; more get 503 at once, and once half of them run, more than a quarter by one caller 429",
    )
    .default("1000"),
    Setting::new(
        "overload_delay_ms",
        "a service most of whose answers take twice their usual time and so much longer gets fewer requests at a time",
    )
    .default("500"),
    Setting::new("cache_bytes", "how much is kept of answers that their services let be kept").default("67108864"),
    Setting::new("tls_certificate_file", "PEM: the gateway's certificate and those above it; without it, no TLS"),
    Setting::new("tls_key_file", "PEM: the private key of that certificate"),
    Setting::new(
        "drain_ms",
        "when asked to end, it is not ready for so long while it still serves: balancers notice in that time",
    )
    .default("0"),
    Setting::new(
        "max_connections",
        "connections of clients at a time; more wait. A tenth of them at most for one address (IPv6: each /64) that is neither this machine nor a trusted proxy",
    )
    .default("10000"),
];

/// Times, from settings in milliseconds.
pub(crate) fn milliseconds(settings: &Settings, key: &str) -> Result<Duration, SettingsError> {
    settings.parse(key).map(Duration::from_millis)
}

/// A setting that lists things by commas; an empty one lists nothing.
///
/// # Errors
/// When one of them does not parse.
pub(crate) fn list<T: FromStr<Err: std::fmt::Display>>(
    settings: &Settings,
    key: &str,
) -> Result<Vec<T>, SettingsError> {
    let text = settings.require(key)?;
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    items
        .map(|item| {
            item.parse().map_err(|e: T::Err| SettingsError::Bad {
                key: format!("QUENTY_{}", key.to_ascii_uppercase()),
                value: item.to_owned(),
                why: e.to_string(),
            })
        })
        .collect()
}
