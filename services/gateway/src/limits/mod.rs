//! How much each caller may ask for. A caller is known by its API key, else as a user, else as a company, else by its
//! address; what it asks for belongs to a class; each class has a quota.
//!
//! Told by `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers), and `Retry-After`.

mod gcra;
mod local;
mod shared;

use std::{
    fmt,
    net::IpAddr,
    str::FromStr,
    sync::{Arc, PoisonError, RwLock},
};

use hyper::header::{HeaderName, HeaderValue};
use quenty_kernel::{Failure, Kind, id::ApiKeyId, network};
use quenty_platform::{
    redis::Redis,
    settings::{Settings, SettingsError},
    token::{Claims, Realm},
};
use serde_json::Value;

use self::{
    gcra::{Quota, Taken},
    local::Local,
    shared::Shared,
};
use crate::edge::{Told, value};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What kind of thing is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// Reads that anyone may do, and what strangers are refused.
    Public,
    /// Proving who one is.
    Auth,
    Read,
    Write,
    /// Whole files.
    Bulk,
}

impl Class {
    const ALL: [Self; 5] = [Self::Public, Self::Auth, Self::Read, Self::Write, Self::Bulk];

    const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Auth => "auth",
            Self::Read => "read",
            Self::Write => "write",
            Self::Bulk => "bulk",
        }
    }

    /// The class of an operation: what its description says (`x-limit-class`), else what it is.
    pub(crate) fn of(method: &str, operation: &Value, is_open: bool) -> Self {
        let said = operation["x-limit-class"].as_str();
        if let Some(class) = Self::ALL.into_iter().find(|class| Some(class.name()) == said) {
            return class;
        }
        let is_file = operation["requestBody"]["content"]["text/csv"].is_object();
        match (method, is_open) {
            ("GET", true) => Self::Public,
            ("GET", false) => Self::Read,
            _ if is_file => Self::Bulk,
            (_, true) => Self::Auth,
            (_, false) => Self::Write,
        }
    }
}

/// Who is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Principal {
    ApiKey(String),
    User(String),
    Company(String),
    Address(IpAddr),
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApiKey(id) | Self::User(id) | Self::Company(id) => f.write_str(id),
            Self::Address(address) => address.fmt(f),
        }
    }
}

impl Principal {
    pub(crate) fn at(address: IpAddr) -> Self {
        Self::Address(network::of(address))
    }

    pub(crate) fn of(claims: &Claims) -> Self {
        let is_key = claims.client_id.parse::<ApiKeyId>().is_ok();
        match (is_key, claims.realm, claims.company_id) {
            (true, ..) => Self::ApiKey(claims.client_id.clone()),
            (_, Realm::Service, Some(company)) => Self::Company(company.to_string()),
            _ => Self::User(claims.sub.clone()),
        }
    }
}

#[derive(Debug)]
struct Policy {
    class: Class,
    /// `None`: as much as one likes.
    quota: Option<Quota>,
    told: HeaderValue,
}

/// Where is kept who has taken how much.
enum Store {
    Local(Local),
    Shared(Shared),
}

impl Store {
    async fn take(&self, quota: &Quota, class: Class, who: &Principal, cost: u32) -> Taken {
        match self {
            Self::Local(local) => local.take(quota, &(class, who), cost),
            Self::Shared(shared) => shared.take(quota, class, who, cost).await,
        }
    }
}

/// The quotas, and what was taken of them.
pub(crate) struct Limits {
    policies: RwLock<Arc<[Policy; 5]>>,
    store: Store,
}

impl Limits {
    /// # Errors
    /// When a quota is not written as `requests/seconds` or `off`.
    pub(crate) fn of(settings: &Settings, redis: Option<Redis>) -> Result<Self, SettingsError> {
        let store =
            redis.map_or_else(|| Store::Local(Local::default()), |redis| Store::Shared(Shared::new(redis)));
        Ok(Self { policies: RwLock::new(Arc::new(Self::policies(settings)?)), store })
    }

    /// Counts by other quotas from now on.
    ///
    /// # Errors
    /// When a quota is not written as `requests/seconds` or `off`.
    pub(crate) fn reload(&self, settings: &Settings) -> Result<(), SettingsError> {
        let policies = Arc::new(Self::policies(settings)?);
        *self.policies.write().unwrap_or_else(PoisonError::into_inner) = policies;
        Ok(())
    }

    fn policies(settings: &Settings) -> Result<[Policy; 5], SettingsError> {
        let policy = |class: Class| {
            let Allowance(quota) = settings.parse(&format!("limit_{}", class.name()))?;
            let told = quota.as_ref().map_or_else(String::new, |quota| {
                format!("\"{}\";q={};w={}", class.name(), quota.requests(), quota.window().as_secs())
            });
            let told = HeaderValue::try_from(told).unwrap_or_else(|_| HeaderValue::from_static(""));
            Ok::<_, SettingsError>(Policy { class, quota, told })
        };
        let [public, auth, read, write, bulk] = Class::ALL;
        Ok([policy(public)?, policy(auth)?, policy(read)?, policy(write)?, policy(bulk)?])
    }

    /// Takes what a request costs, and tells what is left.
    ///
    /// # Errors
    /// 429 when that is too little.
    pub(crate) async fn take(
        &self,
        class: Class,
        who: &Principal,
        cost: u32,
        told: &mut Told,
    ) -> Result<(), Failure> {
        let policies = Arc::clone(&self.policies.read().unwrap_or_else(PoisonError::into_inner));
        let Policy { class, quota: Some(quota), told: policy } = &policies[class as usize] else {
            return Ok(());
        };
        let taken = self.store.take(quota, *class, who, cost).await;
        told.push((RATE_LIMIT_POLICY, policy.clone()));
        let again = seconds(taken.full_again);
        if let Some(left) = value(format_args!("\"{}\";r={};t={again}", class.name(), taken.left)) {
            told.push((RATE_LIMIT, left));
        }
        let Some(wait) = taken.wait else { return Ok(()) };
        metrics::counter!("quenty_gateway_limited_total", "class" => class.name()).increment(1);
        let wait = seconds(wait).max(1);
        let detail = format!("too many requests of the class {}; try again in {wait} s", class.name());
        Err(Failure::new(Kind::TooManyRequests, "RATE_LIMITED", detail).retry_after(wait))
    }
}

/// Up, so that who waits that long does not come too early.
fn seconds(time: std::time::Duration) -> u32 {
    u32::try_from(time.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)
}

/// A quota as settings write it: `requests/seconds`, or `off`.
struct Allowance(Option<Quota>);

impl FromStr for Allowance {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "off" {
            return Ok(Self(None));
        }
        let (requests, seconds) =
            text.split_once('/').ok_or("write it as requests/seconds, like 1000/10, or off")?;
        let number = |text: &str| text.trim().parse::<u32>().ok().filter(|number| *number > 0);
        match (number(requests), number(seconds)) {
            (Some(requests), Some(seconds)) => Ok(Self(Some(Quota::new(requests, seconds)))),
            _ => Err("both numbers are whole and above zero"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_class_is_what_the_description_says_or_what_the_operation_is() {
        let json = json!({"requestBody": {"content": {"application/json": {}}}});
        let csv = json!({"requestBody": {"content": {"text/csv": {}}}});
        for (method, operation, is_open, class) in [
            ("GET", &json!({}), true, Class::Public),
            ("GET", &json!({}), false, Class::Read),
            ("POST", &json, true, Class::Auth),
            ("POST", &json, false, Class::Write),
            ("DELETE", &json!({}), false, Class::Write),
            ("POST", &csv, false, Class::Bulk),
            ("GET", &json!({"x-limit-class": "bulk"}), false, Class::Bulk),
        ] {
            assert_eq!(Class::of(method, operation, is_open), class, "{method} {operation}");
        }
    }

    #[test]
    fn a_network_is_one_principal() {
        let at = |address: &str| Principal::at(address.parse().unwrap());
        assert_eq!(at("2001:db8:1:2::1"), at("2001:db8:1:2:ffff::9"));
        assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
        assert_ne!(at("192.0.2.1"), at("192.0.2.2"));
    }

    #[test]
    fn a_quota_is_two_numbers_or_none() {
        assert!("off".parse::<Allowance>().unwrap().0.is_none());
        assert_eq!("1000/10".parse::<Allowance>().unwrap().0.unwrap().requests(), 1000);
        for text in ["", "10", "0/1", "1/0", "x/y", "-1/1"] {
            assert!(text.parse::<Allowance>().is_err(), "{text}");
        }
    }
}
