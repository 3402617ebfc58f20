use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::ConnectInfo,
    http::{HeaderMap, request::Parts},
};

use crate::{App, http::mtls::PeerCertificate, tls::is_of_service};

/// Where a request came from: what our gateway says where nobody else can say it, otherwise who connected.
#[must_use]
pub fn client_address(parts: &Parts, app: &App) -> Option<IpAddr> {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    let by_gateway = match app.settings().get("trust_forwarded_for") {
        Some(said) => said == "true",
        None => match parts.extensions.get() {
            Some(PeerCertificate(shown)) => is_of_service(shown, "gateway"),
            // On loopback only our gateway and the machine's own people can reach us; within the process, only our gateway.
            None => peer.is_none_or(|peer| peer.is_loopback()),
        },
    };
    forwarded_for(&parts.headers).filter(|_| by_gateway).or(peer)
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
