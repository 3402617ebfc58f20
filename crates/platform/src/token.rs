//! Access tokens (RFC 9068, EdDSA), checked locally with Auth's published keys: Auth being away never
//! blocks a request that carries a valid token.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use moka::future::Cache;
use quenty_kernel::{
    Actor, Failure, Kind,
    clock::wall_now,
    id::{CompanyId, SessionId, UserId},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::{Mutex, RwLock};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    client::{CallError, Transport},
    discovery::Discovery,
    revocations::{Revocations, digest},
};

/// The audience of every token of this platform.
pub const AUDIENCE: &str = "quenty";
/// RFC 9068: the `typ` of an access token.
pub const TYPE: &str = "at+jwt";
const CLOCK_SKEW_SECONDS: u64 = 60;
const CACHED_TOKENS: u64 = 50_000;
/// An unknown key id is asked for at most this often.
const REFETCH_EVERY: Duration = Duration::from_secs(60);
const FIRST_FETCH_EVERY: Duration = Duration::from_millis(250);
/// How old the list of revocations may be: a revocation is to reach every process within a second.
const REVOCATIONS_EVERY: Duration = Duration::from_millis(400);
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
/// Longer an instance of Auth is not waited for while there may be another: the list must not grow old meanwhile.
const QUICK_FETCH: Duration = Duration::from_millis(400);

/// Whom a token speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Realm {
    /// A person acting for a company.
    Company,
    /// A person of the platform: reaches every company's rows.
    Staff,
    /// Another service of the platform.
    Service,
    /// A person without an active company: own profile, invitations, registering a company.
    User,
}

/// The claims of an access token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    pub exp: i64,
    pub iat: i64,
    pub jti: String,
    /// A user's id, or a service's name in realm `service`.
    pub sub: String,
    pub client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    /// How the person proved to be it (RFC 8176).
    #[serde(default)]
    pub amr: Vec<String>,
    pub realm: Realm,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_id: Option<CompanyId>,
    pub permissions: Vec<String>,
}

impl Claims {
    /// Whether the token holds `resource:verb`, itself or through `resource:*`, `*:verb` or `*`.
    /// Internal operations are only granted by name.
    #[must_use]
    pub fn allows(&self, permission: &str) -> bool {
        let (resource, verb) = permission.split_once(':').unwrap_or((permission, ""));
        let internal = resource.starts_with("internal");
        let covers = |held: &String| {
            held == "*"
                || held
                    .split_once(':')
                    .is_some_and(|(r, v)| (r == resource || r == "*") && (v == verb || v == "*"))
        };
        self.permissions.iter().any(|held| held == permission)
            || (!internal && self.permissions.iter().any(covers))
    }

    #[must_use]
    pub fn actor(&self) -> Actor {
        match self.realm {
            Realm::Service => Actor::Service(self.sub.clone()),
            _ => self.sub.parse::<UserId>().map_or(Actor::System, Actor::User),
        }
    }
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kid: String,
    x: String,
}

/// Checks tokens; one per process and service.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    transport: Transport,
    discovery: Discovery,
    issuer: String,
    keys: RwLock<HashMap<String, DecodingKey>>,
    last_fetch: Mutex<Option<Instant>>,
    verified: Cache<[u8; 32], Arc<Verified>>,
    revocations: Revocations,
}

/// A token whose signature was checked, and what it may be revoked by.
struct Verified {
    claims: Arc<Claims>,
    digests: Vec<String>,
    id: Option<Uuid>,
}

impl From<Arc<Claims>> for Verified {
    fn from(claims: Arc<Claims>) -> Self {
        let session = claims.sid.map(|id| id.to_string());
        let company = claims.company_id.map(|id| id.to_string());
        // An API key is the client of its tokens.
        let named = [session, company, Some(claims.sub.clone()), Some(claims.client_id.clone())];
        Self {
            digests: named.into_iter().flatten().map(|id| digest(&id)).collect(),
            id: claims.jti.parse().ok(),
            claims,
        }
    }
}

fn refused(why: &str) -> Failure {
    Failure::new(Kind::Unauthenticated, "INVALID_TOKEN", format!("{why}; log in again or refresh the token"))
}

impl Verifier {
    /// A verifier of the tokens that `issuer` signs with the keys that Auth publishes.
    #[must_use]
    pub fn new(transport: Transport, discovery: Discovery, issuer: &str) -> Self {
        Self(Arc::new(Inner {
            transport,
            discovery,
            issuer: issuer.to_owned(),
            keys: RwLock::default(),
            last_fetch: Mutex::new(None),
            verified: Cache::builder()
                .max_capacity(CACHED_TOKENS)
                .time_to_live(Duration::from_secs(900))
                .build(),
            revocations: Revocations::default(),
        }))
    }

    /// The claims of a valid token.
    ///
    /// # Errors
    /// 401 when it is malformed, expired, revoked, or signed by nobody we know; 503 while neither keys nor revocations
    /// are known yet, and for people's tokens while the revocations are too old.
    pub async fn verify(&self, token: &str) -> Result<Arc<Claims>, Failure> {
        let hash: [u8; 32] = Sha256::digest(token).into();
        let verified = match self.0.verified.get(&hash).await {
            Some(verified) => verified,
            // On the heap: else every request would carry the room for what only its first one needs.
            None => Box::pin(self.check_once(token, hash)).await?,
        };
        self.check_now(&verified)?;
        Ok(Arc::clone(&verified.claims))
    }

    /// Whether a token that was valid still is: for what goes on long after its request was let in.
    ///
    /// # Errors
    /// As [`Verifier::verify`].
    pub fn verify_again(&self, claims: &Arc<Claims>) -> Result<(), Failure> {
        self.check_now(&Verified::from(Arc::clone(claims)))
    }

    /// What may change from one moment to the next.
    fn check_now(&self, verified: &Verified) -> Result<(), Failure> {
        let Verified { claims, digests, id } = verified;
        if claims.exp + CLOCK_SKEW_SECONDS.cast_signed() <= wall_now().as_second() {
            return Err(refused("the token has expired"));
        }
        // Tokens of services are revoked by nobody, and live for an hour.
        if claims.realm != Realm::Service && !self.0.revocations.are_fresh(Instant::now()) {
            return Err(unavailable());
        }
        match self.0.revocations.cover(digests, *id) {
            Some(false) => Ok(()),
            Some(true) => Err(Failure::new(
                Kind::Unauthenticated,
                "TOKEN_REVOKED",
                "the session was ended or its rights have changed; refresh the token or log in again",
            )),
            None => Err(unavailable()),
        }
    }

    async fn check_once(&self, token: &str, hash: [u8; 32]) -> Result<Arc<Verified>, Failure> {
        let verified = Arc::new(Verified::from(Arc::new(self.check(token).await?)));
        self.0.verified.insert(hash, Arc::clone(&verified)).await;
        Ok(verified)
    }

    async fn check(&self, token: &str) -> Result<Claims, Failure> {
        let header = decode_header(token).map_err(|_| refused("this is not an access token"))?;
        if header.typ.as_deref() != Some(TYPE) {
            return Err(refused("this is not an access token"));
        }
        let kid = header.kid.ok_or_else(|| refused("the token names no key"))?;
        let key = self.key(&kid).await?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[&self.0.issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.leeway = CLOCK_SKEW_SECONDS;
        validation.validate_nbf = true;
        let decoded = decode::<Claims>(token, &key, &validation);
        let claims = decoded.map_err(|_| refused("the token is not valid"))?.claims;
        if claims.iat > wall_now().as_second() + CLOCK_SKEW_SECONDS.cast_signed() {
            return Err(refused("the token is of the future"));
        }
        Ok(claims)
    }

    /// Whether tokens can be checked: some of Auth's keys and its revocations are known.
    pub async fn is_ready(&self) -> bool {
        self.has_keys().await && self.0.revocations.are_known()
    }

    /// Whether any of Auth's keys is known.
    pub async fn has_keys(&self) -> bool {
        !self.0.keys.read().await.is_empty()
    }

    async fn key(&self, kid: &str) -> Result<DecodingKey, Failure> {
        if let Some(key) = self.0.keys.read().await.get(kid) {
            return Ok(key.clone());
        }
        self.refetch().await;
        let keys = self.0.keys.read().await;
        match keys.get(kid) {
            Some(key) => Ok(key.clone()),
            None if keys.is_empty() => Err(unavailable()),
            None => Err(refused("the token is signed with an unknown key")),
        }
    }

    async fn refetch(&self) {
        let mut last = self.0.last_fetch.lock().await;
        let pause = if self.has_keys().await { REFETCH_EVERY } else { FIRST_FETCH_EVERY };
        if last.is_some_and(|at| at.elapsed() < pause) {
            return;
        }
        *last = Some(Instant::now());
        if let Err(error) = self.fetch().await {
            tracing::warn!(%error, "Auth's keys could not be read");
        }
    }

    fn published(&self, name: &str) -> Result<String, CallError> {
        Ok(format!("{}/.well-known/{name}", self.0.discovery.locate("auth")?))
    }

    async fn fetch(&self) -> Result<(), CallError> {
        let url = self.published("jwks.json")?;
        let jwks: Jwks = self.0.transport.get_json(&url, FETCH_TIMEOUT).await?;
        let fetched = jwks
            .keys
            .into_iter()
            .filter_map(|jwk| DecodingKey::from_ed_components(&jwk.x).ok().map(|key| (jwk.kid, key)))
            .collect();
        *self.0.keys.write().await = fetched;
        Ok(())
    }

    async fn fetch_revocations(&self, timeout: Duration) -> Result<(), CallError> {
        let url = self.published("revocations.json")?;
        let known = self.0.revocations.version();
        let changed = self.0.transport.get_json_if_changed(&url, known.as_deref(), timeout).await?;
        match changed {
            Some((list, version)) => self.0.revocations.replace(list, version),
            None => self.0.revocations.confirm(),
        }
        Ok(())
    }

    /// Reads keys and revocations until they are known, then keeps them fresh.
    pub async fn keep_fresh(self, stop: CancellationToken) {
        let keys = async {
            loop {
                self.refetch().await;
                let pause = if self.has_keys().await { REFETCH_EVERY * 5 } else { FIRST_FETCH_EVERY };
                tokio::time::sleep(pause).await;
            }
        };
        let revocations = async {
            loop {
                // What one instance does not tell, or not at once, the next one is asked.
                for timeout in [QUICK_FETCH, FETCH_TIMEOUT] {
                    match self.fetch_revocations(timeout).await {
                        Ok(()) => break,
                        Err(error) => tracing::debug!(%error, "Auth's revocations could not be read"),
                    }
                }
                tokio::time::sleep(REVOCATIONS_EVERY).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = keys => {}
            () = revocations => {}
        }
    }
}

fn unavailable() -> Failure {
    Failure::new(Kind::Unavailable, "KEYS_UNAVAILABLE", "tokens cannot be checked yet; try again")
        .retry_after(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(permissions: &[&str]) -> Claims {
        Claims {
            iss: String::new(),
            aud: AUDIENCE.to_owned(),
            exp: 0,
            iat: 0,
            jti: String::new(),
            sub: String::new(),
            client_id: String::new(),
            sid: None,
            amr: Vec::new(),
            realm: Realm::Company,
            company_id: None,
            permissions: permissions.iter().map(|p| (*p).to_owned()).collect(),
        }
    }

    #[test]
    fn wildcards_cover_resources_and_verbs_but_never_internal_operations() {
        assert!(holding(&["orders:*"]).allows("orders:cancel"));
        assert!(holding(&["*:read"]).allows("orders:read"));
        assert!(holding(&["*"]).allows("companies:approve"));
        assert!(!holding(&["orders:read", "order:*"]).allows("orders:cancel"));
        assert!(!holding(&["*"]).allows("internal.companies:read"));
        assert!(holding(&["internal.companies:read"]).allows("internal.companies:read"));
    }
}
