//! Accepting an invitation.

use axum::extract::State;
use quenty_kernel::{clock::wall_now, id::UserId};
use quenty_platform::{
    App, Result,
    http::{Answer, Anyone, Caller, Json},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::login::slow_down;
use crate::{
    commands,
    domain::{lockout, origin::Origin, password::Password, secret::OpaqueToken, user::UserStatus},
    error::Error,
    parts::PasswordHasher,
    store,
};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AcceptInvitationIn {
    /// From the link in the mail.
    token: OpaqueToken,
    password: Password,
}

/// Accept an invitation by choosing a password.
#[utoipa::path(post, path = "/api/v1/auth/invitations/accept", operation_id = "accept_invitation", tag = "auth", security(()), request_body = AcceptInvitationIn,
    extensions(("x-own-pace" = json!(true))),
    responses((status = 204), (status = 422, description = "`INVALID_LINK`, `WEAK_PASSWORD`"), (status = 429, description = "`TOO_MANY_ATTEMPTS`, `TOO_MANY_LOGINS`: try again after `Retry-After`")))]
pub(super) async fn accept_invitation(
    State(app): State<App>,
    caller: Anyone,
    origin: Origin,
    Json(input): Json<AcceptInvitationIn>,
) -> Result<Answer> {
    let found = store::links::owner(app.db(), &input.token.hash(), wall_now()).await?;
    let id = found.ok_or(Error::BadLink)?;
    let user = store::users::find(app.db(), id).await?.ok_or(Error::BadLink)?;
    match user.status() {
        UserStatus::PendingVerification => {}
        UserStatus::Active => return repeat(&app, &caller, id, &input.password, &origin).await,
        UserStatus::Suspended => return Err(Error::BadLink.into()),
    }
    let hash = app.part::<PasswordHasher>()?.hash_new(&input.password, &user.personal(), Vec::new()).await?;
    let mut tx = app.begin(&caller).await?;
    commands::accept_invitation(&mut tx, &input.token, &hash, &origin).await?;
    tx.answer(Answer::no_content()).await
}

/// Who accepted a moment ago and did not hear our answer gets it again, for the password that was chosen.
async fn repeat(
    app: &App,
    caller: &Caller,
    id: UserId,
    password: &Password,
    origin: &Origin,
) -> Result<Answer> {
    slow_down(app, origin, &lockout::account(Some(id), "")).await?;
    let current = store::passwords::latest(app.db(), id, 1).await?.pop();
    let checked = app.part::<PasswordHasher>()?.check(password, current.map(|stored| stored.hash)).await?;
    if checked.matches {
        return Ok(Answer::no_content());
    }
    let mut tx = app.begin(caller).await?;
    let refused = commands::refuse_invitation(&mut tx, id, origin).await?;
    tx.refuse(refused).await
}
