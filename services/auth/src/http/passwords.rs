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
    commands,
    domain::{
        lockout,
        origin::Origin,
        password::{self, Password, REMEMBERED, WeakPassword},
    },
    error::Error,
    parts::PasswordHasher,
    store,
};

/// What a locked account waits for at first; the lock itself knows better.
const RETRY_AFTER: u32 = 900;

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
    if lock.is_some_and(|lock| lock.is_locked(wall_now())) {
        return Err(Error::TooManyAttempts { retry_after: RETRY_AFTER }.into());
    }
    let hasher = app.part::<PasswordHasher>()?;
    let earlier = store::passwords::latest(app.db(), id, REMEMBERED).await?;
    if !hasher.check(&input.current_password, earlier.first().cloned()).await?.matches {
        let mut tx = app.begin(&caller).await?;
        commands::refuse_change_password(&mut tx, id, &origin).await?;
        tx.commit().await?;
        return Err(Error::WrongPassword.into());
    }
    password::check(&input.password, &user.personal()).map_err(Error::WeakPassword)?;
    if hasher.is_one_of(&input.password, earlier).await? {
        return Err(Error::WeakPassword(WeakPassword::Reused).into());
    }
    let hash = hasher.hash(&input.password).await?;
    let mut tx = app.begin(&caller).await?;
    commands::change_password(&mut tx, id, caller.session(), &hash, &origin).await?;
    tx.answer(Answer::no_content()).await
}
