//! Accepting an invitation.

use axum::extract::State;
use quenty_kernel::{Scope, clock::wall_now, id::UserId};
use quenty_platform::{
    App, Result,
    http::{Answer, Anyone, Json},
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    commands,
    domain::{origin::Origin, password::Password, secret::OpaqueToken, user::UserStatus},
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
    responses((status = 204), (status = 422, description = "`INVALID_LINK`, `WEAK_PASSWORD`")))]
pub(super) async fn accept_invitation(
    State(app): State<App>,
    caller: Anyone,
    origin: Origin,
    Json(input): Json<AcceptInvitationIn>,
) -> Result<Answer> {
    let found = store::links::owner(app.db(), &input.token.hash(), wall_now()).await?;
    let id = found.ok_or(Error::BadLink)?;
    let user = store::users::find(app.db(), Scope::All, id).await?.ok_or(Error::BadLink)?;
    if user.status() != UserStatus::PendingVerification {
        return repeat(&app, id, &input.password).await;
    }
    let hash = app.part::<PasswordHasher>()?.hash_new(&input.password, &user.personal()).await?;
    let mut tx = app.begin(&caller).await?;
    commands::accept_invitation(&mut tx, &input.token, &hash, &origin).await?;
    tx.answer(Answer::no_content()).await
}

/// Who accepted a moment ago and did not hear our answer gets it again.
async fn repeat(app: &App, id: UserId, password: &Password) -> Result<Answer> {
    let current = store::passwords::latest(app.db(), id, 1).await?.pop();
    let checked = app.part::<PasswordHasher>()?.check(password, current.map(|stored| stored.hash)).await?;
    if checked.matches { Ok(Answer::no_content()) } else { Err(Error::BadLink.into()) }
}
