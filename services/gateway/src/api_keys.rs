//! API keys (`X-Api-Key`): exchanged at Auth for an access token, which alone goes inward.
//!
//! A token is renewed long before its end, and at once when it was revoked; while Auth is away, what was given serves to its
//! end.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use hyper::{
    HeaderMap,
    header::{self, HeaderName, HeaderValue},
};
use moka::future::Cache;
use quenty_contracts::auth::{ApiKeyExchange, ExchangedApiKey};
use quenty_kernel::{Failure, Kind};
use quenty_platform::{
    client::{CallError, Client},
    token::Verifier,
};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

pub(crate) const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const MOST_KEYS: u64 = 50_000;
/// As long as the longest token lives.
const KEPT: Duration = Duration::from_secs(3600);
const RENEW_AFTER: Duration = Duration::from_secs(60);
/// A token is not used in its last moments: it has to be valid when it arrives.
const MARGIN: Duration = Duration::from_secs(30);
/// A key that Auth does not know is not asked about again so soon.
const REFUSED_FOR: Duration = Duration::from_secs(5);

/// What Auth said of a key, from one address: keys may be bound to some.
#[derive(Debug, Default)]
enum Said {
    #[default]
    Nothing,
    Token {
        bearer: HeaderValue,
        renew_at: Instant,
        until: Instant,
    },
    Refused {
        until: Instant,
    },
}

/// The keys that were exchanged, by the digest of each.
pub(crate) struct ApiKeys {
    auth: Client,
    verifier: Verifier,
    said: Cache<[u8; 32], Arc<Mutex<Said>>>,
}

impl ApiKeys {
    pub(crate) fn new(auth: Client, verifier: Verifier) -> Self {
        Self { auth, verifier, said: Cache::builder().max_capacity(MOST_KEYS).time_to_idle(KEPT).build() }
    }

    /// Puts a token into the place of the key. `may_ask` is asked before Auth is: whoever tries keys is stopped here.
    ///
    /// # Errors
    /// 401 for a key that does not work, 400 when a token is there, too, 503 while Auth cannot be asked; and what
    /// `may_ask` says, where no token is held that still works.
    pub(crate) async fn exchange(
        &self,
        key: &HeaderValue,
        headers: &mut HeaderMap,
        address: IpAddr,
        may_ask: impl Future<Output = Result<(), Failure>>,
    ) -> Result<(), Failure> {
        if headers.contains_key(header::AUTHORIZATION) {
            let detail = "send X-Api-Key or Authorization, not both";
            return Err(Failure::new(Kind::Malformed, "TWO_CREDENTIALS", detail));
        }
        let key = key.to_str().map_err(|_| refused())?;
        headers.insert(header::AUTHORIZATION, self.token(key, address, may_ask).await?);
        Ok(())
    }

    /// What the key's owner may do may have changed: then there is another token for it.
    async fn is_believed(&self, bearer: &HeaderValue) -> bool {
        let token = bearer.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
        match token {
            Some(token) => self.verifier.verify(token).await.is_ok(),
            None => false,
        }
    }

    async fn token(
        &self,
        key: &str,
        address: IpAddr,
        may_ask: impl Future<Output = Result<(), Failure>>,
    ) -> Result<HeaderValue, Failure> {
        let said = self.said.get_with(digest(key, address), std::future::ready(Arc::default())).await;
        // Who comes meanwhile waits for the same answer.
        let mut said = said.lock().await;
        let now = Instant::now();
        match &*said {
            Said::Token { bearer, renew_at, .. } if now < *renew_at && self.is_believed(bearer).await => {
                return Ok(bearer.clone());
            }
            Said::Refused { until } if now < *until => return Err(refused()),
            _ => {}
        }
        if let Err(failure) = may_ask.await {
            let Said::Token { bearer, renew_at, until } = &mut *said else { return Err(failure) };
            if now >= *until || !self.is_believed(bearer).await {
                return Err(failure);
            }
            *renew_at = now + REFUSED_FOR;
            return Ok(bearer.clone());
        }
        let asked = ApiKeyExchange { api_key: key.to_owned(), address };
        match self.auth.post::<ExchangedApiKey>("auth", "/internal/api-keys/exchange", &asked).await {
            Ok(exchanged) => {
                let bearer = bearer(&exchanged.access_token)?;
                let life = Duration::from_secs(exchanged.expires_in.try_into().unwrap_or_default());
                let until = now + life.saturating_sub(MARGIN);
                *said = Said::Token { bearer: bearer.clone(), renew_at: until.min(now + RENEW_AFTER), until };
                Ok(bearer)
            }
            Err(CallError::Refused { status: 401, code: Some(code), .. }) if code == "INVALID_API_KEY" => {
                *said = Said::Refused { until: now + REFUSED_FOR };
                Err(refused())
            }
            Err(error) => match &mut *said {
                Said::Token { bearer, renew_at, until } if now < *until => {
                    tracing::warn!(%error, "the token of an API key could not be renewed yet");
                    *renew_at = now + REFUSED_FOR;
                    Ok(bearer.clone())
                }
                _ => Err(error.into()),
            },
        }
    }
}

fn digest(key: &str, address: IpAddr) -> [u8; 32] {
    Sha256::new().chain_update(key).chain_update([0]).chain_update(address.to_string()).finalize().into()
}

fn bearer(token: &str) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| refused())?;
    value.set_sensitive(true);
    Ok(value)
}

fn refused() -> Failure {
    let detail =
        "this API key does not work here: it is unknown, revoked, expired, or meant for other addresses";
    Failure::new(Kind::Unauthenticated, "INVALID_API_KEY", detail)
}

#[cfg(test)]
mod tests {
    use quenty_kernel::id::{CompanyId, UserId};
    use quenty_platform::{
        client::Transport,
        discovery::Discovery,
        settings::{CHASSIS, Settings},
        token::Realm,
    };
    use quenty_testkit::{keys, wait::eventually};
    use tokio::net::TcpListener;
    use tokio_util::sync::CancellationToken;

    use super::*;

    #[tokio::test]
    async fn a_held_token_is_used_to_its_end_while_another_may_not_be_asked_for() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let settings = Settings::load(&[CHASSIS, crate::SETTINGS], None, std::iter::empty()).unwrap();
        let settings = settings.with("auth_url", url).with("client_secret", "secret");
        let discovery = Discovery::from_settings(&settings, &Transport::default());
        let verifier = Verifier::new(Transport::default(), discovery.clone(), keys::ISSUER);
        let auth = Client::new("gateway", settings, discovery, Transport::default());
        let api_keys = ApiKeys::new(auth, verifier.clone());
        let claims = keys::claims(Realm::Company, UserId::new(), Some(CompanyId::new()), &[]);
        let held = bearer(&keys::sign(&claims)).unwrap();
        let (key, address, now) = ("qk_good", IpAddr::from([127, 0, 0, 1]), Instant::now());
        let ask = async |until| {
            let said = Said::Token { bearer: held.clone(), renew_at: now, until };
            api_keys.said.insert(digest(key, address), Arc::new(Mutex::new(said))).await;
            let refused = Failure::new(Kind::TooManyRequests, "RATE_LIMITED", "not now");
            api_keys.token(key, address, std::future::ready(Err(refused))).await
        };
        let asking = async {
            eventually("tokens are believed", || async { api_keys.is_believed(&held).await.then_some(()) })
                .await;
            assert_eq!(ask(now + KEPT).await.unwrap(), held);
            assert_eq!(ask(now).await.unwrap_err().code, "RATE_LIMITED");
        };
        tokio::select! {
            () = asking => {}
            _ = axum::serve(listener, keys::router()).into_future() => panic!("Auth ended"),
            () = verifier.keep_fresh(CancellationToken::new()) => panic!("the upkeep ended"),
        }
    }
}
