//! What the gateway asks. Never routed by it.

use axum::{extract::State, http::header};
use quenty_contracts::auth::{ApiKeyExchange, ExchangedApiKey};
use quenty_kernel::{Failure, Kind};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, Json},
    token::Realm,
};

use super::ExchangeApiKeys;
use crate::commands;

/// A token of a quarter of an hour for who comes with an API key.
#[utoipa::path(post, path = "/internal/api-keys/exchange", operation_id = "exchange_api_key", tag = "internal", request_body = ApiKeyExchange,
    security(("bearer" = ["internal.api_keys:exchange"])), responses((status = 200, body = ExchangedApiKey),
        (status = 401, description = "`INVALID_API_KEY`: unknown, revoked, expired, from a foreign address, or its owner may not act in its company")))]
pub(super) async fn exchange_api_key(
    State(app): State<App>,
    caller: Can<ExchangeApiKeys>,
    Json(input): Json<ApiKeyExchange>,
) -> Result<Answer> {
    if caller.realm() != Some(Realm::Service) {
        return Err(Failure::new(Kind::Forbidden, "SERVICES_ONLY", "only the gateway can do this").into());
    }
    let mut tx = app.begin(&caller).await?;
    match commands::exchange_api_key(&mut tx, &input.api_key, input.address).await? {
        Ok((access_token, expires_in)) => {
            let answer = Answer::ok(&ExchangedApiKey { access_token, expires_in })?;
            tx.answer(answer.header(header::CACHE_CONTROL, "no-store").secret_of("the API key's token")).await
        }
        Err(refused) => tx.refuse(refused).await,
    }
}
