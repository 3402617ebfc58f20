//! Changing the own password, and choosing another one when it is forgotten.

use axum::extract::State;
use quenty_kernel::{
    Scope,
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

use super::{login::slow_down, sessions::own_session};
use crate::{
    commands::{self, Beside, NewPassword},
    domain::{
        lockout,
        origin::Origin,
        passkey::Assertion,
        password::{Password, REMEMBERED, WeakPassword},
        secret::OpaqueToken,
        user::User,
    },
    error::Error,
    parts::PasswordHasher,
    store::{self, passwords::Stored},
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
    extensions(("x-own-pace" = json!(true))),
    security(("bearer" = [])), responses((status = 204), (status = 422, description = "`WRONG_PASSWORD`, `WEAK_PASSWORD`"), (status = 429, description = "`TOO_MANY_ATTEMPTS`")))]
pub(super) async fn change_password(
    State(app): State<App>,
    caller: LoggedIn,
    origin: Origin,
    Json(input): Json<ChangePasswordIn>,
) -> Result<Answer> {
    let (id, session) = own_session(&caller)?;
    let proved = check_current(&app, (id, session), &input.current_password, &origin).await?;
    let new = match proved {
        Some(proved) => {
            let user = store::users::find(app.db(), Scope::All, id).await?.ok_or(Error::NotFound("user"))?;
            let earlier = store::passwords::latest(app.db(), id, REMEMBERED).await?;
            Some(NewPassword { proved, hash: hash_new(&app, &user, &input.password, earlier).await? })
        }
        None => None,
    };
    let mut tx = app.begin(&caller).await?;
    match commands::change_password(&mut tx, id, session, new, &origin).await? {
        Ok(()) => tx.answer(Answer::no_content()).await,
        Err(refused) => tx.refuse(refused).await,
    }
}

/// The id of the current password, if that was given. Not even looked at while the session or the address waits.
async fn check_current(
    app: &App,
    (id, session): (UserId, SessionId),
    password: &Password,
    origin: &Origin,
) -> Result<Option<i64>> {
    let account = lockout::account(Some(id), "");
    let lock = store::lockouts::find(app.db(), &account, &lockout::place_of_session(session)).await?;
    if let Some(retry_after) = lock.and_then(|lock| lock.wait(wall_now())) {
        return Err(Error::TooManyAttempts { retry_after }.into());
    }
    slow_down(app, origin, &account).await?;
    let current = store::passwords::latest(app.db(), id, 1).await?.pop();
    let hash = current.as_ref().map(|stored| stored.hash.clone());
    let checked = app.part::<PasswordHasher>()?.check(password, hash).await?;
    Ok(current.filter(|_| checked.matches).map(|stored| stored.id))
}

/// Hashes a new password that is good enough and not one of the earlier ones.
async fn hash_new(app: &App, user: &User, password: &Password, earlier: Vec<Stored>) -> Result<String> {
    let hasher = app.part::<PasswordHasher>()?;
    let hash = hasher.hash_new(password, &user.personal()).await?;
    if hasher.is_one_of(password, earlier.into_iter().map(|stored| stored.hash).collect()).await? {
        return Err(Error::WeakPassword(WeakPassword::Reused).into());
    }
    Ok(hash)
}

/// Prove once more to be it, for what needs more than a session: with the password, and a code or a passkey where logins ask for one.
#[utoipa::path(post, path = "/api/v1/auth/reauthenticate", operation_id = "reauthenticate", tag = "auth", request_body = ReauthenticateIn,
    extensions(("x-own-pace" = json!(true))),
    security(("bearer" = [])), responses((status = 204, description = "For five minutes the session may change the second factor, and make and rotate API keys"),
        (status = 422, description = "`WRONG_PASSWORD`, `CODE_NEEDED`, `WRONG_CODE`, `WRONG_PASSKEY`"), (status = 429, description = "`TOO_MANY_ATTEMPTS`")))]
pub(super) async fn reauthenticate(
    State(app): State<App>,
    caller: LoggedIn,
    origin: Origin,
    Json(input): Json<ReauthenticateIn>,
) -> Result<Answer> {
    let (id, session) = own_session(&caller)?;
    let proved = check_current(&app, (id, session), &input.current_password, &origin).await?;
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
    let user = store::users::find(app.db(), Scope::All, id).await?.ok_or(Error::BadLink)?;
    let earlier = store::passwords::latest(app.db(), id, REMEMBERED).await?;
    let hash = hash_new(&app, &user, &input.password, earlier).await?;
    let mut tx = app.begin(&caller).await?;
    let kept = input.keep_api_keys;
    commands::confirm_password_reset(&mut tx, &input.token, &hash, kept, &origin).await?;
    tx.answer(Answer::no_content()).await
}
