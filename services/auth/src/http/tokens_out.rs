//! The answer of every operation that gives tokens.

use axum::http::header;
use jiff::Timestamp;
use quenty_kernel::id::{CompanyId, SessionId, UserId};
use quenty_platform::{Result, http::Answer, token::Realm};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{commands::Tokens, domain::secret::OpaqueToken};

/// RFC 6749, section 5.1, and what a client wants to know of its session.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TokensOut {
    /// Send it as `Authorization: Bearer …`.
    #[schema(
        example = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSIsImtpZCI6IktFWS0wMUpEM1pLOFE1VjBFOFhXNFQyTTlSNkI3QyJ9.…"
    )]
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds until the access token expires.
    #[schema(example = 900)]
    expires_in: i64,
    /// Gives new tokens once; absent when the one that the client holds stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<OpaqueToken>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_expires_at: Option<Timestamp>,
    session_id: SessionId,
    user_id: UserId,
    /// `company`, `staff`, or `user` for a person without an active company.
    #[schema(value_type = String, example = "company")]
    realm: Realm,
    company_id: Option<CompanyId>,
    /// The person's platform roles wait until an authenticator app is confirmed or a passkey added; renew the tokens then.
    mfa_enrolment_needed: bool,
    /// Keep it on the device and send it with its later logins: guesses of others never lock that device out.
    #[serde(skip_serializing_if = "Option::is_none")]
    device_token: Option<OpaqueToken>,
}

impl From<Tokens> for TokensOut {
    fn from(tokens: Tokens) -> Self {
        Self {
            access_token: tokens.access_token,
            token_type: "Bearer",
            expires_in: tokens.expires_in,
            refresh_token: tokens.refresh_token,
            refresh_expires_at: tokens.refresh_expires_at,
            session_id: tokens.session_id,
            user_id: tokens.user_id,
            realm: tokens.realm,
            company_id: tokens.company_id,
            mfa_enrolment_needed: tokens.mfa_enrolment_needed,
            device_token: tokens.device_token,
        }
    }
}

/// The answer; a repeat under the same `Idempotency-Key` never shows the secret again.
pub(super) fn answer(tokens: Tokens) -> Result<Answer> {
    let session_id = tokens.session_id;
    let body = TokensOut::from(tokens);
    Ok(Answer::ok(&body)?.header(header::CACHE_CONTROL, "no-store").secret_of(session_id))
}
