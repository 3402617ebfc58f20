//! Roles and permissions, for people who assign them.

use axum::extract::State;
use quenty_kernel::{contact::Text, id::RoleId};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, IfMatch, Json, Path},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    CreateRoles, DeleteRoles, ReadRoles, UpdateRoles,
    authority::{authority, refuse},
};
use crate::{
    commands,
    domain::{
        custom_role::{CustomRole, RoleName},
        origin::Origin,
        role::{RESOURCES, ROLES, Role, Sphere},
    },
    store,
};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RoleOut {
    /// Absent for a role that cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<RoleId>,
    #[schema(example = "dispatcher")]
    name: String,
    /// `platform`: assigned here. `company`: comes with a membership.
    #[schema(example = "platform")]
    sphere: &'static str,
    about: String,
    permissions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RolesOut {
    items: Vec<RoleOut>,
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PermissionsOut {
    /// `resource:verb`
    #[schema(example = json!(["orders:read", "orders:cancel"]))]
    items: Vec<String>,
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateRoleIn {
    name: RoleName,
    #[schema(value_type = String, example = "plans collection at night")]
    about: Text<200>,
    permissions: Permissions,
}

/// Absent fields stay as they are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RolePatch {
    #[schema(value_type = Option<String>)]
    about: Option<Text<200>>,
    permissions: Option<Permissions>,
}

/// 1 to 200 permissions that the caller holds: `resource:verb`, or `resource:*`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(try_from = "Vec<String>")]
#[schema(value_type = Vec<String>, example = json!(["pickups:read", "pickups:assign"]))]
struct Permissions(Vec<String>);

impl TryFrom<Vec<String>> for Permissions {
    type Error = &'static str;
    fn try_from(permissions: Vec<String>) -> Result<Self, &'static str> {
        if (1..=200).contains(&permissions.len()) {
            Ok(Self(permissions))
        } else {
            Err("expected 1 to 200 permissions")
        }
    }
}

impl From<&Role> for RoleOut {
    fn from(role: &Role) -> Self {
        Self {
            id: None,
            name: role.name.to_owned(),
            sphere: match role.sphere {
                Sphere::Platform => "platform",
                Sphere::Company => "company",
            },
            about: role.about.to_owned(),
            permissions: role.permissions.iter().map(|p| (*p).to_owned()).collect(),
            version: None,
        }
    }
}

impl From<CustomRole> for RoleOut {
    fn from(role: CustomRole) -> Self {
        Self {
            id: Some(role.id),
            name: role.name,
            sphere: "platform",
            about: role.about,
            permissions: role.permissions,
            version: Some(role.version),
        }
    }
}

/// List all roles: those that cannot be changed, and those that staff made.
#[utoipa::path(get, path = "/api/v1/admin/roles", operation_id = "list_roles", tag = "roles", security(("bearer" = ["roles:read"])), responses((status = 200, body = RolesOut)))]
pub(super) async fn list_roles(State(app): State<App>, _caller: Can<ReadRoles>) -> Result<Json<RolesOut>> {
    let custom = store::custom_roles::list(app.db()).await?;
    let items = ROLES.iter().map(RoleOut::from).chain(custom.into_iter().map(RoleOut::from)).collect();
    Ok(Json(RolesOut { items, next_cursor: None }))
}

/// Make a platform role.
#[utoipa::path(post, path = "/api/v1/admin/roles", operation_id = "create_role", tag = "roles", request_body = CreateRoleIn,
    security(("bearer" = ["roles:create"])), responses((status = 201, body = RoleOut),
        (status = 403, description = "`BEYOND_OWN_PERMISSIONS`; `PASSWORD_NEEDED`: prove again to be it first"),
        (status = 409, description = "`ROLE_NAME_TAKEN`, `TOO_MANY_ROLES`"), (status = 422, description = "`NO_SUCH_PERMISSION`")))]
pub(super) async fn create_role(
    State(app): State<App>,
    caller: Can<CreateRoles>,
    origin: Origin,
    Json(input): Json<CreateRoleIn>,
) -> Result<Answer> {
    let CreateRoleIn { name, about, permissions } = input;
    let (authority, about) = (authority(&caller, &origin)?, about.to_string());
    let mut tx = app.begin(&caller).await?;
    match commands::create_role(&mut tx, authority, &name, about, permissions.0).await {
        Ok(role) => {
            let (location, version) = (format!("/api/v1/admin/roles/{}", role.id), role.version);
            tx.answer(Answer::created(location, &RoleOut::from(role))?.version(version)).await
        }
        Err(why) => refuse(tx, why, ("create_role", None), &origin).await,
    }
}

/// Change a platform role that staff made; tokens follow at their next renewal.
#[utoipa::path(patch, path = "/api/v1/admin/roles/{id}", operation_id = "update_role", tag = "roles",
    params(("id" = RoleId, Path), ("If-Match" = Option<String>, Header)), request_body = RolePatch,
    security(("bearer" = ["roles:update"])), responses((status = 200, body = RoleOut),
        (status = 403, description = "`BEYOND_OWN_PERMISSIONS`; `PASSWORD_NEEDED`: prove again to be it first"),
        (status = 412, description = "`VERSION_MISMATCH`"), (status = 422, description = "`NO_SUCH_PERMISSION`")))]
pub(super) async fn update_role(
    State(app): State<App>,
    caller: Can<UpdateRoles>,
    origin: Origin,
    Path(id): Path<RoleId>,
    seen: IfMatch,
    Json(patch): Json<RolePatch>,
) -> Result<Answer> {
    let changes = (patch.about.map(|about| about.to_string()), patch.permissions.map(|new| new.0));
    let mut tx = app.begin(&caller).await?;
    match commands::update_role(&mut tx, authority(&caller, &origin)?, id, seen, changes).await {
        Ok(role) => {
            let version = role.version;
            tx.answer(Answer::ok(&RoleOut::from(role))?.version(version)).await
        }
        Err(why) => refuse(tx, why, ("update_role", None), &origin).await,
    }
}

/// Remove a platform role that nobody has.
#[utoipa::path(delete, path = "/api/v1/admin/roles/{id}", operation_id = "delete_role", tag = "roles", params(("id" = RoleId, Path)),
    security(("bearer" = ["roles:delete"])), responses((status = 204), (status = 403, description = "`BEYOND_OWN_PERMISSIONS`"), (status = 409, description = "`ROLE_IN_USE`")))]
pub(super) async fn delete_role(
    State(app): State<App>,
    caller: Can<DeleteRoles>,
    origin: Origin,
    Path(id): Path<RoleId>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    match commands::delete_role(&mut tx, authority(&caller, &origin)?, id).await {
        Ok(()) => tx.answer(Answer::no_content()).await,
        Err(why) => refuse(tx, why, ("delete_role", None), &origin).await,
    }
}

/// List all permissions.
#[utoipa::path(get, path = "/api/v1/admin/permissions", operation_id = "list_permissions", tag = "roles", security(("bearer" = ["roles:read"])),
    responses((status = 200, body = PermissionsOut)))]
pub(super) async fn list_permissions(_caller: Can<ReadRoles>) -> Json<PermissionsOut> {
    let items = RESOURCES
        .iter()
        .flat_map(|resource| resource.verbs.iter().map(|verb| format!("{}:{verb}", resource.name)));
    Json(PermissionsOut { items: items.collect(), next_cursor: None })
}
