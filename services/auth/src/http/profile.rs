//! The own profile.

use axum::extract::State;
use quenty_kernel::{
    Scope,
    contact::{LanguageTag, PersonName},
};
use quenty_platform::{
    App, Result,
    http::{Answer, IfMatch, Json, LoggedIn},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{sessions::own_session, user_out::ProfileOut};
use crate::{
    commands::{self, UserChanges},
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
    let user = store::users::find(app.db(), Scope::All, id).await?.ok_or(Error::NotFound("user"))?;
    let memberships = store::memberships::of_user(app.db(), id).await?;
    let version = user.version();
    let mfa = store::mfa::state(app.db(), id).await?;
    Ok(Answer::ok(&ProfileOut::new(user, memberships, &mfa))?.version(version))
}

/// Change the own names and language.
#[utoipa::path(patch, path = "/api/v1/profile", operation_id = "update_profile", tag = "profile",
    params(("If-Match" = Option<String>, Header)), request_body = UserPatch, security(("bearer" = [])),
    responses((status = 200, body = ProfileOut), (status = 412, description = "`VERSION_MISMATCH`")))]
pub(super) async fn update_profile(
    State(app): State<App>,
    caller: LoggedIn,
    seen: IfMatch,
    Json(patch): Json<UserPatch>,
) -> Result<Answer> {
    let (id, _) = own_session(&caller)?;
    let mut tx = app.begin(&caller).await?;
    let user = commands::update_profile(&mut tx, id, seen, &patch.into()).await?;
    let memberships = store::memberships::of_user(tx.conn(), id).await?;
    let version = user.version();
    let mfa = store::mfa::state(tx.conn(), id).await?;
    tx.answer(Answer::ok(&ProfileOut::new(user, memberships, &mfa))?.version(version)).await
}
