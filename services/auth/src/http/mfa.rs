//! The second factor: enrolling, confirming and giving it up, and the second step of a login.

use axum::{extract::State, http::header};
use quenty_kernel::contact::Text;
use quenty_platform::{
    App, Result,
    http::{Answer, Anyone, Json, LoggedIn},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    authority::refuse,
    qr_svg::qr_svg,
    sessions::own_session,
    tokens_out::{self, TokensOut},
};
use crate::{
    commands,
    domain::{mfa::RecoveryCode, origin::Origin, secret::OpaqueToken},
};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TotpOut {
    /// For typing into an authenticator app, base 32.
    #[schema(example = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    secret: String,
    #[schema(
        example = "otpauth://totp/Quenty:ana.gomez%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Quenty"
    )]
    otpauth_uri: String,
    /// The URI as a QR code, an SVG image.
    #[schema(example = "<svg xmlns=\"http://www.w3.org/2000/svg\" …")]
    qr_svg: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfirmTotpIn {
    /// Six digits that the app shows.
    #[schema(value_type = String, example = "287082")]
    code: Text<20>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyMfaIn {
    /// From the first step of the login.
    mfa_token: OpaqueToken,
    /// Six digits that the app shows, or one of the recovery codes.
    #[schema(value_type = String, example = "287082")]
    code: Text<40>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct RecoveryCodesOut {
    /// Each works once, in place of a code of the app or a passkey. They are never shown again. Empty where there was
    /// another factor before: its codes stay.
    #[schema(example = json!(["MFRG-GZDF-MZTW-Q2LK"]))]
    recovery_codes: Vec<String>,
}

fn shown(codes: &[RecoveryCode]) -> Result<Answer> {
    let body = RecoveryCodesOut { recovery_codes: codes.iter().map(RecoveryCode::written).collect() };
    Ok(Answer::ok(&body)?.header(header::CACHE_CONTROL, "no-store"))
}

/// Begin with an authenticator app; it counts once a code of it is confirmed.
#[utoipa::path(post, path = "/api/v1/auth/mfa/totp", operation_id = "enrol_totp", tag = "mfa", security(("bearer" = [])),
    responses((status = 200, body = TotpOut), (status = 403, description = "`PASSWORD_NEEDED`: give the password again first"), (status = 409, description = "`MFA_ENABLED`")))]
pub(super) async fn enrol_totp(State(app): State<App>, caller: LoggedIn, origin: Origin) -> Result<Answer> {
    let (user, session) = own_session(&caller)?;
    let mut tx = app.begin(&caller).await?;
    let (secret, account) = match commands::enrol_totp(&mut tx, user, session).await {
        Ok(begun) => begun,
        Err(why) => return refuse(tx, why, ("enrol_totp", Some(user)), &origin).await,
    };
    let otpauth_uri = secret.uri(&account).map_err(quenty_platform::Error::internal)?;
    let qr_svg = qr_svg(&otpauth_uri).map_err(quenty_platform::Error::internal)?;
    let answer = Answer::ok(&TotpOut { secret: secret.base32(), otpauth_uri, qr_svg })?;
    tx.answer(answer.header(header::CACHE_CONTROL, "no-store").secret_of(user)).await
}

/// Confirm the app with a code of it: from now on each login asks for one. Other sessions end with the first factor.
#[utoipa::path(post, path = "/api/v1/auth/mfa/totp/confirm", operation_id = "confirm_totp", tag = "mfa", request_body = ConfirmTotpIn, security(("bearer" = [])),
    responses((status = 200, body = RecoveryCodesOut), (status = 403, description = "`PASSWORD_NEEDED`"),
        (status = 409, description = "`MFA_ENABLED`, `MFA_NOT_ENABLED`: begin first"), (status = 422, description = "`INVALID_CODE`")))]
pub(super) async fn confirm_totp(
    State(app): State<App>,
    caller: LoggedIn,
    origin: Origin,
    Json(input): Json<ConfirmTotpIn>,
) -> Result<Answer> {
    let (user, session) = own_session(&caller)?;
    let mut tx = app.begin(&caller).await?;
    match commands::confirm_totp(&mut tx, user, session, input.code.as_str(), &origin).await {
        Ok(codes) => tx.answer(shown(&codes)?.secret_of(user)).await,
        Err(why) => refuse(tx, why, ("confirm_totp", Some(user)), &origin).await,
    }
}

/// Give the app up; without another factor a password is enough again. Other sessions end.
#[utoipa::path(delete, path = "/api/v1/auth/mfa/totp", operation_id = "disable_totp", tag = "mfa", security(("bearer" = [])),
    responses((status = 204), (status = 403, description = "`PASSWORD_NEEDED`"), (status = 409, description = "`MFA_NOT_ENABLED`")))]
pub(super) async fn disable_totp(State(app): State<App>, caller: LoggedIn, origin: Origin) -> Result<Answer> {
    let (user, session) = own_session(&caller)?;
    let mut tx = app.begin(&caller).await?;
    match commands::disable_totp(&mut tx, user, session, &origin).await {
        Ok(()) => tx.answer(Answer::no_content()).await,
        Err(why) => refuse(tx, why, ("disable_totp", Some(user)), &origin).await,
    }
}

/// Ten other recovery codes; those of before work no more.
#[utoipa::path(post, path = "/api/v1/auth/mfa/recovery-codes", operation_id = "renew_recovery_codes", tag = "mfa", security(("bearer" = [])),
    responses((status = 200, body = RecoveryCodesOut), (status = 403, description = "`PASSWORD_NEEDED`"), (status = 409, description = "`MFA_NOT_ENABLED`")))]
pub(super) async fn renew_recovery_codes(
    State(app): State<App>,
    caller: LoggedIn,
    origin: Origin,
) -> Result<Answer> {
    let (user, session) = own_session(&caller)?;
    let mut tx = app.begin(&caller).await?;
    match commands::renew_recovery_codes(&mut tx, user, session, &origin).await {
        Ok(codes) => tx.answer(shown(&codes)?.secret_of(user)).await,
        Err(why) => refuse(tx, why, ("renew_recovery_codes", Some(user)), &origin).await,
    }
}

/// The second step of a login.
#[utoipa::path(post, path = "/api/v1/auth/mfa/verify", operation_id = "verify_mfa", tag = "mfa", security(()), request_body = VerifyMfaIn,
    responses((status = 200, body = TokensOut),
        (status = 401, description = "`INVALID_CODE`: wrong, or used before; `INVALID_MFA_TOKEN`: unknown, expired, or five codes were wrong: log in again"),
        (status = 429, description = "`TOO_MANY_ATTEMPTS`")))]
pub(super) async fn verify_mfa(
    State(app): State<App>,
    caller: Anyone,
    origin: Origin,
    Json(input): Json<VerifyMfaIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    match commands::verify_mfa(&mut tx, &input.mfa_token, input.code.as_str(), &origin).await? {
        Ok(tokens) => tx.answer(tokens_out::answer(tokens)?).await,
        Err(refused) => tx.refuse(refused).await,
    }
}
