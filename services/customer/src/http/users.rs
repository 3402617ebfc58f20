//! The platform's view of people. For its staff only: one's own profile is Auth's to show.

use axum::extract::State;
use quenty_kernel::{
    Page, Timestamp,
    contact::{Email, LanguageTag, PersonName, Phone, Text},
    id::UserId,
};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, IfMatch, Json, Path, Query, nullable},
    list_query,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{DeactivateUsers, ReadUsers, UpdateUsers, wire::staff};
use crate::{
    commands,
    domain::profile::{Profile, ProfileChanges, ProfileError, ProfileStatus},
    store,
};

/// What changes; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UserPatch {
    given_name: Option<PersonName>,
    family_name: Option<PersonName>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Phone>)]
    phone: Option<Option<Phone>>,
    language: Option<LanguageTag>,
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UserOut {
    id: UserId,
    email: Email,
    given_name: PersonName,
    family_name: PersonName,
    phone: Option<Phone>,
    language: LanguageTag,
    status: ProfileStatus,
    /// Why the user was deactivated.
    status_reason: Option<String>,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<&Profile> for UserOut {
    fn from(profile: &Profile) -> Self {
        let state = profile.state().clone();
        Self {
            id: state.user_id,
            email: state.email,
            given_name: state.given_name,
            family_name: state.family_name,
            phone: state.phone,
            language: state.language,
            status: state.status,
            status_reason: state.status_reason,
            version: state.version,
            created_at: state.created_at,
            updated_at: state.updated_at,
        }
    }
}

fn shown(profile: &Profile) -> Result<Answer> {
    Ok(Answer::ok(&UserOut::from(profile))?.version(profile.version()))
}

list_query!(UserQuery { status: Option<ProfileStatus>, email: Option<Email> });

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WhyQuery {
    /// Why the user is deactivated.
    reason: Text<500>,
}

/// List users.
#[utoipa::path(get, path = "/api/v1/users", operation_id = "list_users", tag = "users",
    params(UserQuery), security(("bearer" = ["users:read"])),
    responses((status = 200, body = Page<UserOut>), (status = 403, description = "`NOT_PERMITTED`, `STAFF_ONLY`")))]
pub(super) async fn list_users(
    State(app): State<App>,
    caller: Can<ReadUsers>,
    Query(query): Query<UserQuery>,
) -> Result<Json<Page<UserOut>>> {
    staff(&caller)?;
    let page = query.page();
    let rows = store::profiles::list(app.db(), query.status, query.email.as_ref(), &page).await?;
    Ok(Json(
        Page::from_rows(rows, &page, |profile| profile.user_id().uuid())
            .map(|profile| UserOut::from(&profile)),
    ))
}

/// Read a user.
#[utoipa::path(get, path = "/api/v1/users/{id}", operation_id = "get_user", tag = "users",
    params(("id" = UserId, Path)), security(("bearer" = ["users:read"])),
    responses((status = 200, body = UserOut), (status = 403, description = "`NOT_PERMITTED`, `STAFF_ONLY`")))]
pub(super) async fn get_user(
    State(app): State<App>,
    caller: Can<ReadUsers>,
    Path(id): Path<UserId>,
) -> Result<Answer> {
    staff(&caller)?;
    let profile = store::profiles::find(app.db(), id).await?;
    shown(&profile.ok_or(ProfileError::NotFound).map_err(crate::Error::from)?)
}

/// Change a user's profile.
#[utoipa::path(patch, path = "/api/v1/users/{id}", operation_id = "update_user", tag = "users",
    params(("id" = UserId, Path), ("If-Match" = Option<String>, Header)), request_body = UserPatch, security(("bearer" = ["users:update"])),
    responses((status = 200, body = UserOut), (status = 403, description = "`NOT_PERMITTED`, `STAFF_ONLY`"),
        (status = 409, description = "`USER_DEACTIVATED`"), (status = 412, description = "`VERSION_MISMATCH`: someone changed it since you read it")))]
pub(super) async fn update_user(
    State(app): State<App>,
    caller: Can<UpdateUsers>,
    Path(id): Path<UserId>,
    seen: IfMatch,
    Json(patch): Json<UserPatch>,
) -> Result<Answer> {
    staff(&caller)?;
    let UserPatch { given_name, family_name, phone, language } = patch;
    let mut tx = app.begin(&caller).await?;
    let profile =
        commands::update_user(&mut tx, id, seen, ProfileChanges { given_name, family_name, phone, language })
            .await?;
    tx.answer(shown(&profile)?).await
}

/// Deactivate a user: Auth ends their sessions and lets them in no more.
#[utoipa::path(delete, path = "/api/v1/users/{id}", operation_id = "deactivate_user", tag = "users",
    params(("id" = UserId, Path), WhyQuery), security(("bearer" = ["users:deactivate"])),
    responses((status = 204), (status = 403, description = "`NOT_PERMITTED`, `STAFF_ONLY`"),
        (status = 409, description = "`USER_IS_STAFF`: suspend who has platform roles at `/api/v1/admin/users/{id}/suspend`")))]
pub(super) async fn deactivate_user(
    State(app): State<App>,
    caller: Can<DeactivateUsers>,
    Path(id): Path<UserId>,
    Query(WhyQuery { reason }): Query<WhyQuery>,
) -> Result<Answer> {
    staff(&caller)?;
    let mut tx = app.begin(&caller).await?;
    commands::deactivate_user(&mut tx, id, &reason).await?;
    tx.answer(Answer::no_content()).await
}
