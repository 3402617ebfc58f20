//! Changing the own password.

use axum::extract::State;
use quenty_kernel::{Scope, clock::wall_now};
use quenty_platform::{
    App, Result,
    http::{Answer, Json, LoggedIn},
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    commands::{self, NewPassword},
    domain::{
        lockout,
        origin::Origin,
        password::{Password, REMEMBERED, WeakPassword},
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

/// Change the own password; all other sessions end.
#[utoipa::path(post, path = "/api/v1/auth/password/change", operation_id = "change_password", tag = "auth", request_body = ChangePasswordIn,
    security(("bearer" = [])), responses((status = 204), (status = 422, description = "`WRONG_PASSWORD`, `WEAK_PASSWORD`"), (status = 429, description = "`TOO_MANY_ATTEMPTS`")))]
pub(super) async fn change_password(
    State(app): State<App>,
    caller: LoggedIn,
    origin: Origin,
    Json(input): Json<ChangePasswordIn>,
) -> Result<Answer> {
    let id = caller.user()?;
    let user = store::users::find(app.db(), Scope::All, id).await?.ok_or(Error::NotFound("user"))?;
    let lock = store::lockouts::find(app.db(), &lockout::account(Some(id), ""), &origin.address).await?;
    if let Some(retry_after) = lock.and_then(|lock| lock.wait(wall_now())) {
        return Err(Error::TooManyAttempts { retry_after }.into());
    }
    let new = new_password(&app, &user, &input).await?;
    let mut tx = app.begin(&caller).await?;
    match commands::change_password(&mut tx, id, caller.session(), new, &origin).await? {
        Ok(()) => tx.answer(Answer::no_content()).await,
        Err(refused) => {
            tx.commit().await?;
            Err(refused.into())
        }
    }
}

/// The new password, if the current one was given.
async fn new_password(app: &App, user: &User, input: &ChangePasswordIn) -> Result<Option<NewPassword>> {
    let hasher = app.part::<PasswordHasher>()?;
    let earlier = store::passwords::latest(app.db(), user.id(), REMEMBERED).await?;
    let Some(current) = earlier.first().cloned() else { return Ok(None) };
    if !hasher.check(&input.current_password, Some(current.hash)).await?.matches {
        return Ok(None);
    }
    let hash = hasher.hash_new(&input.password, &user.personal()).await?;
    if hasher.is_one_of(&input.password, earlier.into_iter().map(|stored| stored.hash).collect()).await? {
        return Err(Error::WeakPassword(WeakPassword::Reused).into());
    }
    Ok(Some(NewPassword { proved: current.id, hash }))
}
