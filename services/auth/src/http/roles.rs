//! The table of roles and permissions, for people who assign them.

use quenty_platform::http::{Can, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::ReadRoles;
use crate::domain::role::{RESOURCES, ROLES, Sphere};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RoleOut {
    #[schema(example = "dispatcher")]
    name: &'static str,
    /// `platform`: assigned here. `company`: comes with a membership.
    #[schema(example = "platform")]
    sphere: &'static str,
    about: &'static str,
    permissions: Vec<&'static str>,
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

/// List all roles.
#[utoipa::path(get, path = "/api/v1/admin/roles", operation_id = "list_roles", tag = "roles", security(("bearer" = ["roles:read"])), responses((status = 200, body = RolesOut)))]
pub(super) async fn list_roles(_caller: Can<ReadRoles>) -> Json<RolesOut> {
    let out = |sphere| match sphere {
        Sphere::Platform => "platform",
        Sphere::Company => "company",
    };
    let items = ROLES.iter().map(|role| RoleOut {
        name: role.name,
        sphere: out(role.sphere),
        about: role.about,
        permissions: role.permissions.to_vec(),
    });
    Json(RolesOut { items: items.collect(), next_cursor: None })
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
