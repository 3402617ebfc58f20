//! The keys that everybody checks access tokens with.

use axum::{extract::State, http::header, response::IntoResponse};
use quenty_platform::{App, Result};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{domain::signing_key::Jwk, parts::KeyRing};

/// RFC 7517.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JwkSet {
    keys: Vec<Jwk>,
}

/// The public keys of access tokens.
#[utoipa::path(get, path = "/.well-known/jwks.json", operation_id = "get_jwks", tag = "auth", responses((status = 200, body = JwkSet)))]
pub(super) async fn get_jwks(State(app): State<App>) -> Result<impl IntoResponse> {
    let keys = app.part::<KeyRing>()?.published();
    Ok(([(header::CACHE_CONTROL, "public, max-age=60")], axum::Json(JwkSet { keys })))
}
