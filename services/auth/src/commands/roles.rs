//! Roles that staff make. Nobody puts into a role, or takes out of one, what they do not hold themselves; tokens that
//! say otherwise are over.

use quenty_kernel::id::RoleId;
use quenty_platform::{Tx, http::IfMatch};

use super::{Authority, Outcome, record_access, revoke_user};
use crate::{
    domain::{
        custom_role::{CustomRole, MOST_ROLES, RoleName},
        role::{covers, is_permission, permissions_of_platform_roles},
    },
    error::Error,
    store,
};

/// The permissions of all these platform roles together, of the code and made ones.
pub async fn permissions_of(tx: &mut Tx, roles: &[String]) -> Result<Vec<String>, Error> {
    let mut all = permissions_of_platform_roles(roles);
    if !roles.is_empty() {
        let custom = store::custom_roles::named(tx.conn(), roles).await?;
        all.extend(custom.into_iter().flat_map(|role| role.permissions));
        all.sort_unstable();
        all.dedup();
    }
    Ok(all)
}

fn check(held: &[String], permissions: &[String]) -> Result<(), Error> {
    if let Some(unknown) = permissions.iter().find(|permission| !is_permission(permission)) {
        return Err(Error::NoSuchPermission(unknown.clone()));
    }
    if covers(held, permissions.iter().map(String::as_str)) {
        Ok(())
    } else {
        Err(Error::BeyondOwnPermissions)
    }
}

pub async fn create_role(
    tx: &mut Tx,
    authority: Authority<'_>,
    name: &RoleName,
    about: String,
    permissions: Vec<String>,
) -> Result<CustomRole, Error> {
    check(authority.held, &permissions)?;
    authority.prove(tx).await?;
    if store::custom_roles::count(tx.conn()).await? >= MOST_ROLES {
        return Err(Error::TooManyRoles);
    }
    let (role, fact) = CustomRole::new(RoleId::new(), name, about, permissions, tx.now());
    if !store::custom_roles::insert(tx.conn(), &role).await? {
        return Err(Error::RoleNameTaken);
    }
    tx.record(role.id, None, &fact)?;
    record_access(tx, "create_role", Outcome::Succeeded, None, None, authority.origin)?;
    Ok(role)
}

/// The role, locked, if all of it is the caller's to give and take.
async fn own(tx: &mut Tx, held: &[String], id: RoleId) -> Result<CustomRole, Error> {
    store::users::lock_staff(tx.conn()).await?;
    let role = store::custom_roles::lock(tx.conn(), id).await?.ok_or(Error::NotFound("role"))?;
    if covers(held, role.permissions.iter().map(String::as_str)) {
        Ok(role)
    } else {
        Err(Error::BeyondOwnPermissions)
    }
}

/// Absent parts stay.
pub async fn update_role(
    tx: &mut Tx,
    authority: Authority<'_>,
    id: RoleId,
    seen: IfMatch,
    (about, permissions): (Option<String>, Option<Vec<String>>),
) -> Result<CustomRole, Error> {
    authority.prove(tx).await?;
    let mut role = own(tx, authority.held, id).await?;
    seen.check(role.version)?;
    let about = about.unwrap_or_else(|| role.about.clone());
    let permissions = permissions.unwrap_or_else(|| role.permissions.clone());
    check(authority.held, &permissions)?;
    let fact = role.update(about, permissions, tx.now());
    store::custom_roles::save(tx.conn(), &role).await?;
    tx.record(id, None, &fact)?;
    for holder in store::custom_roles::holders(tx.conn(), &role.name).await? {
        revoke_user(tx, holder).await?;
    }
    record_access(tx, "update_role", Outcome::Succeeded, None, None, authority.origin)?;
    Ok(role)
}

/// Only a role that nobody has goes: nobody loses anything unnoticed.
pub async fn delete_role(tx: &mut Tx, authority: Authority<'_>, id: RoleId) -> Result<(), Error> {
    let role = own(tx, authority.held, id).await?;
    if store::custom_roles::is_held(tx.conn(), &role.name).await? {
        return Err(Error::RoleInUse);
    }
    store::custom_roles::delete(tx.conn(), id).await?;
    tx.record(id, None, &role.told(true))?;
    record_access(tx, "delete_role", Outcome::Succeeded, None, None, authority.origin)
}
