//! Where a request came from: the peer, or what our gateway says about it.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, header, request::Parts},
};
use quenty_platform::App;

use crate::domain::origin::Origin;

const LONGEST_USER_AGENT: usize = 256;

impl FromRequestParts<App> for Origin {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        let forwarded = forwarded_for(&parts.headers).filter(|_| trusts_forwarded_for(app));
        let user_agent =
            parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Ok(Self {
            address: forwarded.or(peer).map_or_else(|| "unknown".to_owned(), |address| address.to_string()),
            user_agent: user_agent.chars().take(LONGEST_USER_AGENT).collect(),
        })
    }
}

/// On loopback only our gateway and the machine's own people can reach us; elsewhere it was said (see `parts::init`).
fn trusts_forwarded_for(app: &App) -> bool {
    app.settings().get("trust_forwarded_for") != Some("false")
}

/// The last address: the one that the gateway next to us wrote.
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    headers
        .get_all("x-forwarded-for")
        .iter()
        .next_back()?
        .to_str()
        .ok()?
        .rsplit(',')
        .next()?
        .trim()
        .parse()
        .ok()
}
