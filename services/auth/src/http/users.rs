//! Other people's accounts, for staff.

use axum::extract::State;
use quenty_kernel::{
    Cursor, Page, PageQuery, Scope, Timestamp,
    contact::{Email, LanguageTag, NewEmail, PersonName, Text},
    id::UserId,
    page::Limit,
};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, IfMatch, Json, Path, Query},
    journal,
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    AssignRoles, InviteUsers, ReactivateUsers, ReadUsers, ResetMfa, SuspendUsers, UnlockUsers, UpdateUsers,
    authority::{authority, refuse, staff_only},
    profile::UserPatch,
    user_out::{self, UserOut},
};
use crate::{
    commands,
    domain::{
        facts::UserFact,
        origin::Origin,
        person::Person,
        user::{User, UserStatus},
    },
    error::Error,
    store::{self, users::Filter},
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UsersQuery {
    status: Option<UserStatus>,
    /// A platform role.
    #[param(value_type = Option<String>, example = "driver")]
    role: Option<Text<40>>,
    email: Option<Email>,
    /// Items a page, 1 to 100.
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SuspendUserIn {
    #[schema(value_type = String, example = "left the company")]
    reason: Text<200>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResetMfaIn {
    /// How it is known that the person asked for it.
    #[schema(value_type = String, example = "lost the phone; called back on the number that we know")]
    reason: Text<200>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AssignRolesIn {
    /// All platform roles that the user has from now on.
    #[schema(example = json!(["dispatcher"]))]
    roles: Vec<String>,
}

/// Somebody who is asked to work for the platform.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InviteUserIn {
    email: NewEmail,
    given_name: PersonName,
    family_name: PersonName,
    language: LanguageTag,
    /// At least one platform role; each is one whose permissions the caller holds.
    #[schema(example = json!(["dispatcher"]))]
    roles: Vec<String>,
}

/// List users.
#[utoipa::path(get, path = "/api/v1/admin/users", operation_id = "list_users", tag = "users", params(UsersQuery),
    security(("bearer" = ["users:read"])), responses((status = 200, body = Page<UserOut>)))]
pub(super) async fn list_users(
    State(app): State<App>,
    caller: Can<ReadUsers>,
    Query(query): Query<UsersQuery>,
) -> Result<Json<Page<UserOut>>> {
    staff_only(&caller)?;
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let filter = Filter {
        status: query.status,
        role: query.role.map(|role| role.to_string()),
        email: query.email.map(|email| email.to_string()),
    };
    let users = store::users::list(app.db(), &filter, &page).await?;
    Ok(Json(users.map(UserOut::from)))
}

/// Invite somebody to work for the platform; the link to choose a password is mailed.
#[utoipa::path(post, path = "/api/v1/admin/users", operation_id = "invite_user", tag = "users", request_body = InviteUserIn,
    security(("bearer" = ["users:invite"])), responses((status = 201, body = UserOut),
        (status = 403, description = "`BEYOND_OWN_PERMISSIONS`; `PASSWORD_NEEDED`: prove again to be it first"), (status = 409, description = "`USER_EXISTS`: `user_id` says who; assign roles instead"),
        (status = 422, description = "`NO_ROLE`, `NO_SUCH_ROLE`")))]
pub(super) async fn invite_user(
    State(app): State<App>,
    caller: Can<InviteUsers>,
    origin: Origin,
    Json(input): Json<InviteUserIn>,
) -> Result<Answer> {
    let InviteUserIn { email, given_name, family_name, language, roles } = input;
    let person = Person { username: None, email: email.into(), given_name, family_name, language };
    let mut tx = app.begin(&caller).await?;
    match commands::invite_staff(&mut tx, authority(&caller, &origin)?, &person, roles).await {
        Ok(user) => tx.answer(user_out::invited(user)?).await,
        Err(why) => refuse(tx, why, ("invite_user", None), &origin).await,
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AsOf {
    /// As it was then.
    as_of: Option<Timestamp>,
}

/// Read a user, now or as it was.
#[utoipa::path(get, path = "/api/v1/admin/users/{id}", operation_id = "get_user", tag = "users", params(("id" = UserId, Path), AsOf),
    security(("bearer" = ["users:read"])), responses((status = 200, body = UserOut)))]
pub(super) async fn get_user(
    State(app): State<App>,
    caller: Can<ReadUsers>,
    Path(id): Path<UserId>,
    Query(AsOf { as_of }): Query<AsOf>,
) -> Result<Answer> {
    staff_only(&caller)?;
    let now = store::users::find(app.db(), id).await?;
    let user = match (now, as_of) {
        (Some(_), Some(_)) => {
            User::fold(journal::facts::<UserFact>(app.db(), Scope::All, &id.to_string(), as_of).await?)
        }
        (now, _) => now,
    };
    user_out::answer(user.ok_or(Error::NotFound("user"))?)
}

/// Change a user's names and language.
#[utoipa::path(patch, path = "/api/v1/admin/users/{id}", operation_id = "update_user", tag = "users",
    params(("id" = UserId, Path), ("If-Match" = Option<String>, Header)), request_body = UserPatch,
    security(("bearer" = ["users:update"])), responses((status = 200, body = UserOut),
        (status = 403, description = "`BEYOND_OWN_PERMISSIONS`"), (status = 412, description = "`VERSION_MISMATCH`")))]
pub(super) async fn update_user(
    State(app): State<App>,
    caller: Can<UpdateUsers>,
    origin: Origin,
    Path(id): Path<UserId>,
    seen: IfMatch,
    Json(patch): Json<UserPatch>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    match commands::update_user(&mut tx, authority(&caller, &origin)?, id, seen, &patch.into()).await {
        Ok(user) => tx.answer(user_out::answer(user)?).await,
        Err(why) => refuse(tx, why, ("update_user", Some(id)), &origin).await,
    }
}

/// Suspend a user: all sessions end, no login works, and the API keys that act for them are revoked.
#[utoipa::path(post, path = "/api/v1/admin/users/{id}/suspend", operation_id = "suspend_user", tag = "users", params(("id" = UserId, Path)), request_body = SuspendUserIn,
    security(("bearer" = ["users:suspend"])), responses((status = 200, body = UserOut),
        (status = 403, description = "`BEYOND_OWN_PERMISSIONS`"), (status = 409, description = "`INVALID_USER_STATUS`, `LAST_SUPER_ADMIN`")))]
pub(super) async fn suspend_user(
    State(app): State<App>,
    caller: Can<SuspendUsers>,
    origin: Origin,
    Path(id): Path<UserId>,
    Json(input): Json<SuspendUserIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    match commands::suspend_user(&mut tx, authority(&caller, &origin)?, id, input.reason.as_str()).await {
        Ok(user) => tx.answer(user_out::answer(user)?).await,
        Err(why) => refuse(tx, why, ("suspend_user", Some(id)), &origin).await,
    }
}

/// Let a suspended user in again.
#[utoipa::path(post, path = "/api/v1/admin/users/{id}/reactivate", operation_id = "reactivate_user", tag = "users", params(("id" = UserId, Path)),
    security(("bearer" = ["users:reactivate"])), responses((status = 200, body = UserOut),
        (status = 403, description = "`BEYOND_OWN_PERMISSIONS`"), (status = 409, description = "`INVALID_USER_STATUS`")))]
pub(super) async fn reactivate_user(
    State(app): State<App>,
    caller: Can<ReactivateUsers>,
    origin: Origin,
    Path(id): Path<UserId>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    match commands::reactivate_user(&mut tx, authority(&caller, &origin)?, id).await {
        Ok(user) => tx.answer(user_out::answer(user)?).await,
        Err(why) => refuse(tx, why, ("reactivate_user", Some(id)), &origin).await,
    }
}

/// Let in a user whom failed logins, or wrong codes, keep waiting.
#[utoipa::path(post, path = "/api/v1/admin/users/{id}/unlock", operation_id = "unlock_user", tag = "users", params(("id" = UserId, Path)),
    security(("bearer" = ["users:unlock"])), responses((status = 204), (status = 403, description = "`BEYOND_OWN_PERMISSIONS`")))]
pub(super) async fn unlock_user(
    State(app): State<App>,
    caller: Can<UnlockUsers>,
    origin: Origin,
    Path(id): Path<UserId>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    match commands::unlock_user(&mut tx, authority(&caller, &origin)?, id).await {
        Ok(()) => tx.answer(Answer::no_content()).await,
        Err(why) => refuse(tx, why, ("unlock_user", Some(id)), &origin).await,
    }
}

/// Take every second factor from a user who has lost them. All sessions end; the user is told by mail.
#[utoipa::path(post, path = "/api/v1/admin/users/{id}/reset-mfa", operation_id = "reset_mfa", tag = "users", params(("id" = UserId, Path)), request_body = ResetMfaIn,
    security(("bearer" = ["users:reset_mfa"])), responses((status = 204),
        (status = 403, description = "`BEYOND_OWN_PERMISSIONS`; `OWN_MFA`: nobody resets their own; `PASSWORD_NEEDED`: prove again to be it first"), (status = 409, description = "`MFA_NOT_ENABLED`")))]
pub(super) async fn reset_mfa(
    State(app): State<App>,
    caller: Can<ResetMfa>,
    origin: Origin,
    Path(id): Path<UserId>,
    Json(input): Json<ResetMfaIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    match commands::reset_mfa(&mut tx, authority(&caller, &origin)?, id, input.reason.as_str()).await {
        Ok(()) => tx.answer(Answer::no_content()).await,
        Err(why) => refuse(tx, why, ("reset_mfa", Some(id)), &origin).await,
    }
}

/// Set a user's platform roles; the user is told by mail, and all super_admins of another one.
#[utoipa::path(put, path = "/api/v1/admin/users/{id}/roles", operation_id = "assign_roles", tag = "users",
    params(("id" = UserId, Path), ("If-Match" = Option<String>, Header)), request_body = AssignRolesIn,
    security(("bearer" = ["users:assign_roles"])), responses((status = 200, body = UserOut),
        (status = 403, description = "`BEYOND_OWN_PERMISSIONS`; `PASSWORD_NEEDED`: prove again to be it first"), (status = 409, description = "`LAST_SUPER_ADMIN`"),
        (status = 412, description = "`VERSION_MISMATCH`"), (status = 422, description = "`NO_SUCH_ROLE`")))]
pub(super) async fn assign_roles(
    State(app): State<App>,
    caller: Can<AssignRoles>,
    origin: Origin,
    Path(id): Path<UserId>,
    seen: IfMatch,
    Json(input): Json<AssignRolesIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    match commands::assign_roles(&mut tx, authority(&caller, &origin)?, id, seen, input.roles).await {
        Ok(user) => tx.answer(user_out::answer(user)?).await,
        Err(why) => refuse(tx, why, ("assign_roles", Some(id)), &origin).await,
    }
}
