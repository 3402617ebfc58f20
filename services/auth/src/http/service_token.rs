//! Tokens for the platform's own services.

use axum::{extract::State, http::header};
use quenty_kernel::contact::Text;
use quenty_platform::{
    App, Result,
    http::{Answer, Anyone},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::json_or_form::JsonOrForm;
use crate::{commands, domain::origin::Origin, error::Error};

/// RFC 6749, section 4.4.2.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceTokenIn {
    #[schema(example = "client_credentials")]
    grant_type: String,
    #[schema(value_type = String, example = "order")]
    client_id: Text<64>,
    #[schema(format = Password)]
    client_secret: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ServiceTokenOut {
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    #[schema(example = 3600)]
    expires_in: i64,
}

/// A service's own token (OAuth 2.0 client credentials).
#[utoipa::path(post, path = "/api/v1/auth/token", operation_id = "issue_service_token", tag = "auth", security(()),
    request_body(content((ServiceTokenIn = "application/json"), (ServiceTokenIn = "application/x-www-form-urlencoded"))),
    responses((status = 200, body = ServiceTokenOut), (status = 400, description = "`UNSUPPORTED_GRANT_TYPE`"), (status = 401, description = "`INVALID_CLIENT`"),
        (status = 429, description = "`TOO_MANY_ATTEMPTS`: too many wrong secrets from one address")))]
pub(super) async fn issue_service_token(
    State(app): State<App>,
    caller: Anyone,
    origin: Origin,
    JsonOrForm(input): JsonOrForm<ServiceTokenIn>,
) -> Result<Answer> {
    if input.grant_type != "client_credentials" {
        return Err(Error::UnsupportedGrant(input.grant_type).into());
    }
    let client = input.client_id.as_str();
    let mut tx = app.begin(&caller).await?;
    match commands::issue_service_token(&mut tx, client, &input.client_secret, &origin).await? {
        Ok((access_token, expires_in)) => {
            let body = ServiceTokenOut { access_token, token_type: "Bearer", expires_in };
            tx.answer(Answer::ok(&body)?.header(header::CACHE_CONTROL, "no-store").secret_of(client)).await
        }
        Err(refused) => tx.refuse(refused).await,
    }
}
