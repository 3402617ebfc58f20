//! API keys, for people who connect machines to the platform.

use axum::{extract::State, http::header};
use jiff::SignedDuration;
use quenty_kernel::{
    Cursor, Page, PageQuery, Timestamp,
    contact::Text,
    id::{ApiKeyId, CompanyId, UserId},
    page::Limit,
};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, Json, Path, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    CreateApiKeys, ReadApiKeys, RevokeApiKeys, RotateApiKeys, authority::refuse, sessions::own_session,
};
use crate::{
    commands::{self, NewApiKey},
    domain::{
        api_key::{self, AddressRange, ApiKey},
        origin::Origin,
        secret::OpaqueToken,
    },
    store,
};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateApiKeyIn {
    /// What the key is for.
    #[schema(value_type = String, example = "web shop")]
    name: Text<80>,
    /// Permissions that the caller holds in the active company.
    #[schema(min_items = 1, max_items = 100, example = json!(["orders:create", "orders:read"]))]
    scopes: Scopes,
    /// Addresses that the key works from; anywhere unless told.
    #[serde(default)]
    addresses: Addresses,
    /// At most a year from now, which it is unless told.
    expires_at: Option<Timestamp>,
}

/// 1 to 100 scopes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(try_from = "Vec<String>")]
#[schema(value_type = Vec<String>)]
struct Scopes(Vec<String>);

impl TryFrom<Vec<String>> for Scopes {
    type Error = &'static str;
    fn try_from(scopes: Vec<String>) -> Result<Self, &'static str> {
        if (1..=100).contains(&scopes.len()) { Ok(Self(scopes)) } else { Err("expected 1 to 100 scopes") }
    }
}

/// Up to 50 ranges.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(try_from = "Vec<AddressRange>")]
#[schema(value_type = Vec<AddressRange>)]
struct Addresses(Vec<AddressRange>);

impl TryFrom<Vec<AddressRange>> for Addresses {
    type Error = &'static str;
    fn try_from(ranges: Vec<AddressRange>) -> Result<Self, &'static str> {
        if ranges.len() <= 50 { Ok(Self(ranges)) } else { Err("expected at most 50 addresses") }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RotateApiKeyIn {
    /// How long the secret of before works on, in seconds: up to a week, and not at all unless told.
    #[serde(default)]
    #[schema(maximum = 604800)]
    overlap_seconds: Overlap,
}

/// Up to a week.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(try_from = "u32")]
#[schema(value_type = u32, maximum = 604800)]
struct Overlap(SignedDuration);

impl TryFrom<u32> for Overlap {
    type Error = &'static str;
    fn try_from(seconds: u32) -> Result<Self, &'static str> {
        let overlap = SignedDuration::from_secs(seconds.into());
        if overlap <= api_key::LONGEST_OVERLAP { Ok(Self(overlap)) } else { Err("expected at most 604800") }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ApiKeyOut {
    id: ApiKeyId,
    name: String,
    /// For whom it acts.
    user_id: UserId,
    company_id: CompanyId,
    #[schema(example = json!(["orders:create", "orders:read"]))]
    scopes: Vec<String>,
    /// Empty: it works from anywhere.
    addresses: Vec<AddressRange>,
    created_at: Timestamp,
    expires_at: Timestamp,
    rotated_at: Option<Timestamp>,
    /// When a token was last given for it.
    last_used_at: Option<Timestamp>,
}

/// A key with its secret, which is never shown again.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ApiKeySecretOut {
    #[serde(flatten)]
    key: ApiKeyOut,
    /// Send it as `X-API-Key: …`.
    #[schema(example = "qk_01JD3ZK8Q5V0E8XW4T2M9R6B7C_k3J0b2tlbi1mcm9tLXRoZS1tYWlsLW9yLWxvZ2luLWFuc3c")]
    api_key: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ApiKeysQuery {
    /// Those of one person.
    user_id: Option<UserId>,
    /// Items a page, 1 to 100.
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

impl From<ApiKey> for ApiKeyOut {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            user_id: key.user_id,
            company_id: key.company_id,
            scopes: key.scopes,
            addresses: key.addresses,
            created_at: key.created_at,
            expires_at: key.expires_at,
            rotated_at: key.rotated_at,
            last_used_at: key.last_used_at,
        }
    }
}

fn shown(key: ApiKey, secret: &OpaqueToken) -> ApiKeySecretOut {
    ApiKeySecretOut { api_key: api_key::written(key.id, secret), key: key.into() }
}

/// List the company's API keys.
#[utoipa::path(get, path = "/api/v1/auth/api-keys", operation_id = "list_api_keys", tag = "api-keys", params(ApiKeysQuery),
    security(("bearer" = ["api_keys:read"])), responses((status = 200, body = Page<ApiKeyOut>)))]
pub(super) async fn list_api_keys(
    State(app): State<App>,
    caller: Can<ReadApiKeys>,
    Query(query): Query<ApiKeysQuery>,
) -> Result<Json<Page<ApiKeyOut>>> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let keys = store::api_keys::list(app.db(), caller.scope()?, query.user_id, &page).await?;
    Ok(Json(keys.map(ApiKeyOut::from)))
}

/// Make an API key that acts for the caller in the active company.
#[utoipa::path(post, path = "/api/v1/auth/api-keys", operation_id = "create_api_key", tag = "api-keys", request_body = CreateApiKeyIn,
    security(("bearer" = ["api_keys:create"])), responses((status = 201, body = ApiKeySecretOut),
        (status = 403, description = "`BEYOND_OWN_PERMISSIONS`, `NO_COMPANY`, `NO_SESSION`, `PASSWORD_NEEDED`: prove again to be it first"), (status = 409, description = "`TOO_MANY_API_KEYS`"),
        (status = 422, description = "`NO_SUCH_SCOPE`, `INVALID_EXPIRY`")))]
pub(super) async fn create_api_key(
    State(app): State<App>,
    caller: Can<CreateApiKeys>,
    origin: Origin,
    Json(input): Json<CreateApiKeyIn>,
) -> Result<Answer> {
    let company = caller.company()?;
    let who = own_session(&caller)?;
    let new = NewApiKey {
        name: input.name.to_string(),
        scopes: input.scopes.0,
        addresses: input.addresses.0,
        expires_at: input.expires_at,
    };
    let mut tx = app.begin(&caller).await?;
    match commands::create_api_key(&mut tx, who, company, caller.permissions(), new, &origin).await {
        Ok((key, secret)) => {
            let id = key.id;
            let answer = Answer::created(format!("/api/v1/auth/api-keys/{id}"), &shown(key, &secret))?;
            tx.answer(answer.header(header::CACHE_CONTROL, "no-store").secret_of(id)).await
        }
        Err(why) => refuse(tx, why, ("create_api_key", Some(who.0)), &origin).await,
    }
}

/// Give one's API key another secret; its owner is told by mail.
#[utoipa::path(post, path = "/api/v1/auth/api-keys/{id}/rotate", operation_id = "rotate_api_key", tag = "api-keys", params(("id" = ApiKeyId, Path)),
    request_body = RotateApiKeyIn, security(("bearer" = ["api_keys:rotate"])), responses((status = 200, body = ApiKeySecretOut),
        (status = 403, description = "`NO_SESSION`, `PASSWORD_NEEDED`"), (status = 404, description = "`NOT_FOUND`: no such key, or another's")))]
pub(super) async fn rotate_api_key(
    State(app): State<App>,
    caller: Can<RotateApiKeys>,
    origin: Origin,
    Path(id): Path<ApiKeyId>,
    Json(input): Json<RotateApiKeyIn>,
) -> Result<Answer> {
    let scope = caller.scope()?;
    let who = own_session(&caller)?;
    let mut tx = app.begin(&caller).await?;
    let overlap = input.overlap_seconds.0;
    match commands::rotate_api_key(&mut tx, who, scope, id, overlap, &origin).await {
        Ok((key, secret)) => {
            let answer = Answer::ok(&shown(key, &secret))?;
            tx.answer(answer.header(header::CACHE_CONTROL, "no-store").secret_of(id)).await
        }
        Err(why) => refuse(tx, why, ("rotate_api_key", Some(who.0)), &origin).await,
    }
}

/// Revoke an API key of the company.
#[utoipa::path(delete, path = "/api/v1/auth/api-keys/{id}", operation_id = "revoke_api_key", tag = "api-keys", params(("id" = ApiKeyId, Path)),
    security(("bearer" = ["api_keys:revoke"])), responses((status = 204), (status = 403, description = "`NO_SESSION`")))]
pub(super) async fn revoke_api_key(
    State(app): State<App>,
    caller: Can<RevokeApiKeys>,
    origin: Origin,
    Path(id): Path<ApiKeyId>,
) -> Result<Answer> {
    let scope = caller.scope()?;
    let (user, _) = own_session(&caller)?;
    let mut tx = app.begin(&caller).await?;
    commands::revoke_api_key(&mut tx, user, scope, id, &origin).await?;
    tx.answer(Answer::no_content()).await
}
