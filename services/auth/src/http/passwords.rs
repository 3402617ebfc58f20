//! Changing the own password, and choosing another one when it is forgotten.

use axum::extract::State;
use quenty_kernel::{
    clock::wall_now,
    contact::{Email, Text},
    id::{SessionId, UserId},
};
use quenty_platform::{
    App, Result,
    http::{Answer, Anyone, Json, LoggedIn},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::sessions::own_session;
use crate::{
    commands::{self, Beside, NewPassword},
    domain::{
        origin::Origin,
        passkey::Assertion,
        password::{Password, REMEMBERED},
        rate_limit::PASSWORD_PROOFS,
        secret::OpaqueToken,
        user::User,
    },
    error::Error,
    parts::PasswordHasher,
    store,
};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangePasswordIn {
    current_password: Password,
    password: Password,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReauthenticateIn {
    current_password: Password,
    /// Where logins ask for a second factor: six digits that the app shows, or one of the recovery codes.
    #[schema(value_type = Option<String>, example = "287082")]
    code: Option<Text<40>>,
    /// In place of a code: the answer to `POST /api/v1/auth/reauthenticate/options`, as `PublicKeyCredential.toJSON()` makes it.
    #[schema(value_type = Option<Object>)]
    passkey: Option<Assertion>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestPasswordResetIn {
    email: Email,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfirmPasswordResetIn {
    /// From the link in the mail.
    token: OpaqueToken,
    password: Password,
    /// API keys that act for the person are revoked, unless this is true: who chose the old password, or stole it, may
    /// have made one.
    #[serde(default)]
    keep_api_keys: bool,
}

/// Change the own password; all other sessions end.
#[utoipa::path(post, path = "/api/v1/auth/password/change", operation_id = "change_password", tag = "auth", request_body = ChangePasswordIn,
    extensions(("x-limit-class" = json!("auth"))),
    security(("bearer" = [])), responses((status = 204), (status = 422, description = "`WRONG_PASSWORD`: five of them end the session; `WEAK_PASSWORD`"), (status = 429, description = "`TOO_MANY_ATTEMPTS`")))]
pub(super) async fn change_password(
    State(app): State<App>,
    caller: LoggedIn,
    origin: Origin,
    Json(input): Json<ChangePasswordIn>,
) -> Result<Answer> {
    let (id, session) = own_session(&caller)?;
    let proved = check_current(&app, (id, session), &input.current_password).await?;
    let new = match proved {
        Some(proved) => {
            let user = store::users::find(app.db(), id).await?.ok_or(Error::NotFound("user"))?;
            Some(NewPassword { proved, hash: hash_new(&app, &user, &input.password).await? })
        }
        None => None,
    };
    let mut tx = app.begin(&caller).await?;
    match commands::change_password(&mut tx, id, session, new, &origin).await? {
        Ok(()) => tx.answer(Answer::no_content()).await,
        Err(refused) => tx.refuse(refused).await,
    }
}

/// The id of the current password, if that was given. Not even looked at where the session has ended, too many were looked
/// at in it, or too many right ones of its person. Wrong ones of others, also in other sessions of the person, are nothing to
/// it.
async fn check_current(
    app: &App,
    (id, session): (UserId, SessionId),
    password: &Password,
) -> Result<Option<i64>> {
    let now = wall_now();
    if store::sessions::find(app.db(), session).await?.is_none_or(|session| !session.is_live(now)) {
        return Err(Error::NoSession.into());
    }
    let of_user = PASSWORD_PROOFS.bucket(&id.to_string());
    let right_ones = store::rate_limits::find(app.db(), &of_user).await?;
    if let Some(retry_after) = PASSWORD_PROOFS.wait(right_ones, now) {
        return Err(Error::TooManyAttempts { retry_after }.into());
    }
    if let Some(retry_after) = count_proof(app, &PASSWORD_PROOFS.bucket(&session.to_string())).await? {
        return Err(Error::TooManyAttempts { retry_after }.into());
    }
    let current = store::passwords::latest(app.db(), id, 1).await?.pop();
    let hash = current.as_ref().map(|stored| stored.hash.clone());
    let checked = app.part::<PasswordHasher>()?.check(password, hash).await?;
    if checked.matches {
        count_proof(app, &of_user).await?;
    }
    Ok(current.filter(|_| checked.matches).map(|stored| stored.id))
}

/// By itself: what comes of the proof is no matter.
async fn count_proof(app: &App, bucket: &str) -> Result<Option<u32>> {
    let mut connection = app.db().acquire().await?;
    store::rate_limits::hit(&mut connection, &PASSWORD_PROOFS, bucket, wall_now()).await
}

/// Hashes a new password that is good enough and not one of the earlier ones.
async fn hash_new(app: &App, user: &User, password: &Password) -> Result<String> {
    let earlier = store::passwords::latest(app.db(), user.id(), REMEMBERED).await?;
    let earlier = earlier.into_iter().map(|stored| stored.hash).collect();
    Ok(app.part::<PasswordHasher>()?.hash_new(password, &user.personal(), earlier).await?)
}

/// Prove once more to be it, for what needs more than a session: with the password, and a code or a passkey where logins ask for one.
#[utoipa::path(post, path = "/api/v1/auth/reauthenticate", operation_id = "reauthenticate", tag = "auth", request_body = ReauthenticateIn,
    extensions(("x-limit-class" = json!("auth"))),
    security(("bearer" = [])), responses((status = 204, description = "For five minutes the session may change the second factor, make and rotate API keys, and, where its person may at all, invite staff, give roles, change them and reset second factors"),
        (status = 422, description = "`WRONG_PASSWORD`: five of them end the session; `CODE_NEEDED`, `WRONG_CODE`, `WRONG_PASSKEY`"), (status = 429, description = "`TOO_MANY_ATTEMPTS`")))]
pub(super) async fn reauthenticate(
    State(app): State<App>,
    caller: LoggedIn,
    origin: Origin,
    Json(input): Json<ReauthenticateIn>,
) -> Result<Answer> {
    let (id, session) = own_session(&caller)?;
    let proved = check_current(&app, (id, session), &input.current_password).await?;
    let mut tx = app.begin(&caller).await?;
    let beside = match (&input.passkey, &input.code) {
        (Some(answer), _) => Beside::Passkey(answer),
        (None, Some(code)) => Beside::Code(code.as_str()),
        (None, None) => Beside::Nothing,
    };
    match commands::reauthenticate(&mut tx, id, session, (proved, beside), &origin).await? {
        Ok(()) => tx.answer(Answer::no_content()).await,
        Err(refused) => tx.refuse(refused).await,
    }
}

/// Ask for a link to choose another password.
#[utoipa::path(post, path = "/api/v1/auth/password/reset", operation_id = "request_password_reset", tag = "auth", security(()), request_body = RequestPasswordResetIn,
    responses((status = 204, description = "Mailed if the address has an account"), (status = 429, description = "`TOO_MANY_ATTEMPTS`: three an hour for one address")))]
pub(super) async fn request_password_reset(
    State(app): State<App>,
    caller: Anyone,
    origin: Origin,
    Json(input): Json<RequestPasswordResetIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    match commands::request_password_reset(&mut tx, &input.email, &origin).await? {
        Ok(()) => tx.answer(Answer::no_content()).await,
        Err(refused) => tx.refuse(refused).await,
    }
}

/// Choose another password with the token that was mailed; all sessions end, and all API keys are revoked unless they are to stay.
#[utoipa::path(post, path = "/api/v1/auth/password/reset/confirm", operation_id = "confirm_password_reset", tag = "auth", security(()), request_body = ConfirmPasswordResetIn,
    responses((status = 204), (status = 422, description = "`INVALID_LINK`, `WEAK_PASSWORD`"), (status = 429, description = "`TOO_MANY_LOGINS`")))]
pub(super) async fn confirm_password_reset(
    State(app): State<App>,
    caller: Anyone,
    origin: Origin,
    Json(input): Json<ConfirmPasswordResetIn>,
) -> Result<Answer> {
    let owner = store::password_resets::owner(app.db(), &input.token.hash(), wall_now()).await?;
    let id = owner.ok_or(Error::BadLink)?;
    let user = store::users::find(app.db(), id).await?.ok_or(Error::BadLink)?;
    let hash = hash_new(&app, &user, &input.password).await?;
    let mut tx = app.begin(&caller).await?;
    let kept = input.keep_api_keys;
    commands::confirm_password_reset(&mut tx, &input.token, &hash, kept, &origin).await?;
    tx.answer(Answer::no_content()).await
}
