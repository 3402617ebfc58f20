//! Where a request came from: the peer, or what our gateway says about it.

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use quenty_platform::{App, http::client_address};

use crate::domain::origin::Origin;

const LONGEST_USER_AGENT: usize = 256;

impl FromRequestParts<App> for Origin {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let user_agent =
            parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Ok(Self {
            address: client_address(parts, app)
                .map_or_else(|| "unknown".to_owned(), |address| address.to_string()),
            user_agent: user_agent.chars().take(LONGEST_USER_AGENT).collect(),
        })
    }
}
