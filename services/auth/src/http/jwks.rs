//! What everybody checks access tokens with: the keys, and what is revoked.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use quenty_kernel::clock::wall_now;
use quenty_platform::{App, Result, revocations::RevocationList};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{domain::signing_key::Jwk, parts::KeyRing, store};

/// RFC 7517.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JwkSet {
    keys: Vec<Jwk>,
}

/// A key is published for as long before it signs and after its last token that these minutes change nothing: no token of
/// a key that is no longer here is valid any more.
const CACHED: &str = "public, max-age=60, stale-while-revalidate=60, stale-if-error=600";

/// The public keys of access tokens.
#[utoipa::path(get, path = "/.well-known/jwks.json", operation_id = "get_jwks", tag = "auth", security(()), responses((status = 200, body = JwkSet)))]
pub(super) async fn get_jwks(State(app): State<App>) -> Result<impl IntoResponse> {
    let keys = app.part::<KeyRing>()?.published();
    Ok(([(header::CACHE_CONTROL, CACHED)], axum::Json(JwkSet { keys })))
}

/// The access tokens that are over before their time, by digest: `304` while the list is the one of `If-None-Match`.
#[utoipa::path(get, path = "/.well-known/revocations.json", operation_id = "get_revocations", tag = "auth", security(()),
    params(("If-None-Match" = Option<String>, Header)),
    responses((status = 200, body = RevocationList), (status = 304, description = "unchanged")))]
pub(super) async fn get_revocations(State(app): State<App>, headers: HeaderMap) -> Result<Response> {
    let (revocations, version) = store::revocations::live(app.db(), wall_now()).await?;
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == version.as_bytes()) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    Ok(([(header::ETAG, version)], axum::Json(RevocationList { revocations })).into_response())
}
