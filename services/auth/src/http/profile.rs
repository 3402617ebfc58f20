//! The own profile.

use axum::extract::State;
use quenty_kernel::contact::{LanguageTag, PersonName};
use quenty_platform::{
    App, Result,
    http::{Answer, IfMatch, Json, LoggedIn},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{sessions::own_session, user_out::ProfileOut};
use crate::{
    commands::{self, UserChanges},
    domain::origin::Origin,
    error::Error,
    store,
};

/// Absent fields stay as they are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UserPatch {
    given_name: Option<PersonName>,
    family_name: Option<PersonName>,
    language: Option<LanguageTag>,
}

impl From<UserPatch> for UserChanges {
    fn from(patch: UserPatch) -> Self {
        Self { given_name: patch.given_name, family_name: patch.family_name, language: patch.language }
    }
}

/// Read the own profile.
#[utoipa::path(get, path = "/api/v1/profile", operation_id = "get_profile", tag = "profile", security(("bearer" = [])),
    responses((status = 200, body = ProfileOut), (status = 403, description = "`NO_SESSION`")))]
pub(super) async fn get_profile(State(app): State<App>, caller: LoggedIn) -> Result<Answer> {
    let id = caller.user()?;
    let user = store::users::find(app.db(), id).await?.ok_or(Error::NotFound("user"))?;
    let memberships = store::memberships::of_user(app.db(), id).await?;
    let methods = store::mfa::methods(app.db(), id).await?;
    let codes_left = store::mfa::codes_left(app.db(), id).await?;
    let version = user.version();
    Ok(Answer::ok(&ProfileOut::new(user, memberships, methods, codes_left))?.version(version))
}

/// Change the own names and language.
#[utoipa::path(patch, path = "/api/v1/profile", operation_id = "update_profile", tag = "profile",
    params(("If-Match" = Option<String>, Header)), request_body = UserPatch, security(("bearer" = [])),
    responses((status = 200, body = ProfileOut), (status = 412, description = "`VERSION_MISMATCH`")))]
pub(super) async fn update_profile(
    State(app): State<App>,
    caller: LoggedIn,
    origin: Origin,
    seen: IfMatch,
    Json(patch): Json<UserPatch>,
) -> Result<Answer> {
    let (id, _) = own_session(&caller)?;
    let mut tx = app.begin(&caller).await?;
    let user = commands::update_profile(&mut tx, id, seen, &patch.into(), &origin).await?;
    let memberships = store::memberships::of_user(tx.conn(), id).await?;
    let methods = store::mfa::methods(tx.conn(), id).await?;
    let codes_left = store::mfa::codes_left(tx.conn(), id).await?;
    let version = user.version();
    tx.answer(Answer::ok(&ProfileOut::new(user, memberships, methods, codes_left))?.version(version)).await
}
