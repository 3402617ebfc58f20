//! What the platform's own services ask about tokens that they were shown.

use std::sync::Arc;

use axum::{extract::State, http::header};
use quenty_kernel::{
    Kind,
    contact::Text,
    id::{CompanyId, SessionId},
};
use quenty_platform::{
    App, Result,
    http::{Answer, Anyone},
    token::{AUDIENCE, Claims, Realm},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::json_or_form::JsonOrForm;
use crate::{
    commands::{self, Active, Presented},
    domain::{origin::Origin, secret::OpaqueToken},
    parts::KeyRing,
};

/// RFC 7662, section 2.1, and RFC 7009, section 2.1.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenIn {
    /// An access token or a refresh token.
    #[schema(value_type = String, format = Password)]
    token: Text<8192>,
    /// `access_token` or `refresh_token`; both are tried anyway.
    #[schema(value_type = Option<String>)]
    #[expect(dead_code, reason = "the RFC has it; a token's form tells what it is")]
    token_type_hint: Option<Text<40>>,
    #[schema(value_type = String, example = "order")]
    client_id: Text<64>,
    #[schema(format = Password)]
    client_secret: String,
}

/// RFC 7662, section 2.2: of a token that is not active nothing else is told.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct IntrospectionOut {
    active: bool,
    /// Permissions, with spaces between.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "orders:create orders:read")]
    scope: Option<String>,
    /// `quenty` for a login, an API key's id, or a service's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Bearer")]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<SessionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "company")]
    realm: Option<Realm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    company_id: Option<CompanyId>,
}

impl IntrospectionOut {
    fn of(active: Option<Active>, issuer: &str) -> Self {
        match active {
            None => Self::default(),
            Some(Active::Access(claims)) => Self::of_access(Arc::unwrap_or_clone(claims)),
            Some(Active::Refresh { session, expires_at }) => Self {
                active: true,
                token_type: Some("refresh_token"),
                exp: Some(expires_at.as_second()),
                sub: Some(session.user_id.to_string()),
                aud: Some(AUDIENCE.to_owned()),
                iss: Some(issuer.to_owned()),
                sid: Some(session.id),
                company_id: session.company_id,
                ..Self::default()
            },
        }
    }

    fn of_access(claims: Claims) -> Self {
        Self {
            active: true,
            scope: Some(claims.permissions.join(" ")),
            client_id: Some(claims.client_id),
            token_type: Some("Bearer"),
            exp: Some(claims.exp),
            iat: Some(claims.iat),
            sub: Some(claims.sub),
            aud: Some(claims.aud),
            iss: Some(claims.iss),
            jti: Some(claims.jti),
            sid: claims.sid,
            realm: Some(claims.realm),
            company_id: claims.company_id,
        }
    }
}

/// What was shown, as far as its signature or its form tell. Before the transaction: keys may have to be fetched.
async fn presented(app: &App, token: &str) -> Result<Option<Presented>> {
    match app.verifier().verify(token).await {
        Ok(claims) => Ok(Some(Presented::Access(claims))),
        Err(unavailable) if unavailable.kind == Kind::Unavailable => Err(unavailable.into()),
        Err(_) => Ok(OpaqueToken::try_from(token.to_owned()).ok().map(Presented::Opaque)),
    }
}

/// Whether a token is active, and what it says (RFC 7662): unlike its signature, this knows of ended sessions at once.
#[utoipa::path(post, path = "/api/v1/auth/introspect", operation_id = "introspect_token", tag = "auth", security(()),
    request_body(content((TokenIn = "application/json"), (TokenIn = "application/x-www-form-urlencoded"))),
    responses((status = 200, body = IntrospectionOut), (status = 401, description = "`INVALID_CLIENT`"), (status = 429, description = "`TOO_MANY_ATTEMPTS`")))]
pub(super) async fn introspect_token(
    State(app): State<App>,
    caller: Anyone,
    origin: Origin,
    JsonOrForm(input): JsonOrForm<TokenIn>,
) -> Result<Answer> {
    let shown = presented(&app, input.token.as_str()).await?;
    let mut tx = app.begin(&caller).await?;
    let client = input.client_id.as_str();
    match commands::introspect_token(&mut tx, client, &input.client_secret, shown, &origin).await? {
        Ok(active) => {
            let body = IntrospectionOut::of(active, app.part::<KeyRing>()?.issuer());
            tx.answer(Answer::ok(&body)?.header(header::CACHE_CONTROL, "no-store")).await
        }
        Err(refused) => tx.refuse(refused).await,
    }
}

/// End the session of a token (RFC 7009); of a token that is none, too, nothing is told.
#[utoipa::path(post, path = "/api/v1/auth/revoke", operation_id = "revoke_token", tag = "auth", security(()),
    request_body(content((TokenIn = "application/json"), (TokenIn = "application/x-www-form-urlencoded"))),
    responses((status = 200), (status = 400, description = "`UNSUPPORTED_TOKEN_TYPE`: it belongs to no session"),
        (status = 401, description = "`INVALID_CLIENT`"), (status = 429, description = "`TOO_MANY_ATTEMPTS`")))]
pub(super) async fn revoke_token(
    State(app): State<App>,
    caller: Anyone,
    origin: Origin,
    JsonOrForm(input): JsonOrForm<TokenIn>,
) -> Result<Answer> {
    let shown = presented(&app, input.token.as_str()).await?;
    let mut tx = app.begin(&caller).await?;
    let client = input.client_id.as_str();
    match commands::revoke_token(&mut tx, client, &input.client_secret, shown, &origin).await? {
        // The RFC's 200, whose content nobody reads.
        Ok(()) => tx.answer(Answer::ok(&serde_json::json!({}))?).await,
        Err(refused) => tx.refuse(refused).await,
    }
}
