//! Accepting an invitation.

use axum::extract::State;
use quenty_kernel::{Scope, clock::wall_now};
use quenty_platform::{
    App, Result,
    http::{Answer, Anyone, Json},
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    commands,
    domain::{
        link::LinkPurpose,
        origin::Origin,
        password::{self, Password},
        secret::OpaqueToken,
    },
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
#[utoipa::path(post, path = "/api/v1/auth/invitations/accept", operation_id = "accept_invitation", tag = "auth", request_body = AcceptInvitationIn,
    responses((status = 204), (status = 422, description = "`INVALID_LINK`, `WEAK_PASSWORD`")))]
pub(super) async fn accept_invitation(
    State(app): State<App>,
    caller: Anyone,
    origin: Origin,
    Json(input): Json<AcceptInvitationIn>,
) -> Result<Answer> {
    let link = store::links::find(app.db(), LinkPurpose::Invitation, &input.token.hash(), wall_now())
        .await?
        .ok_or(Error::BadLink)?;
    let user = store::users::find(app.db(), Scope::All, link.user_id).await?.ok_or(Error::BadLink)?;
    password::check(&input.password, &user.personal()).map_err(Error::WeakPassword)?;
    let hash = app.part::<PasswordHasher>()?.hash(&input.password).await?;
    let mut tx = app.begin(&caller).await?;
    commands::accept_invitation(&mut tx, &input.token, &hash, &origin).await?;
    tx.answer(Answer::no_content()).await
}
