//! Platform roles beside those of the code.

use jiff_sqlx::ToSqlx;
use quenty_kernel::id::{RoleId, UserId};
use quenty_platform::Result;
use sqlx::{PgConnection, PgExecutor};

use crate::domain::custom_role::CustomRole;

struct Row {
    id: uuid::Uuid,
    name: String,
    about: String,
    permissions: Vec<String>,
    version: i64,
    created_at: jiff_sqlx::Timestamp,
    updated_at: jiff_sqlx::Timestamp,
}

impl From<Row> for CustomRole {
    fn from(row: Row) -> Self {
        Self {
            id: RoleId::from_uuid(row.id),
            name: row.name,
            about: row.about,
            permissions: row.permissions,
            version: row.version,
            created_at: row.created_at.to_jiff(),
            updated_at: row.updated_at.to_jiff(),
        }
    }
}

/// All of them, oldest first; there are few.
pub async fn list(db: impl PgExecutor<'_>) -> Result<Vec<CustomRole>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, name, about, permissions, version, created_at, updated_at from custom_roles order by id"
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(CustomRole::from).collect())
}

/// Those of these names.
pub async fn named(db: impl PgExecutor<'_>, names: &[String]) -> Result<Vec<CustomRole>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, name, about, permissions, version, created_at, updated_at from custom_roles where name = any($1)",
        names
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(CustomRole::from).collect())
}

pub async fn lock(connection: &mut PgConnection, id: RoleId) -> Result<Option<CustomRole>> {
    let row = sqlx::query_as!(
        Row,
        "select id, name, about, permissions, version, created_at, updated_at from custom_roles where id = $1 for update",
        id.uuid()
    );
    Ok(row.fetch_optional(connection).await?.map(CustomRole::from))
}

pub async fn count(db: impl PgExecutor<'_>) -> Result<i64> {
    Ok(sqlx::query_scalar!("select count(*) as \"count!\" from custom_roles").fetch_one(db).await?)
}

/// Inserts a role unless its name is taken.
pub async fn insert(connection: &mut PgConnection, role: &CustomRole) -> Result<bool> {
    let inserted = sqlx::query!(
        "insert into custom_roles (id, name, about, permissions, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
        role.id.uuid(),
        role.name,
        role.about,
        &role.permissions,
        role.version,
        role.created_at.to_sqlx() as _,
        role.updated_at.to_sqlx() as _
    );
    Ok(inserted.execute(connection).await?.rows_affected() == 1)
}

/// Saves what can change.
pub async fn save(connection: &mut PgConnection, role: &CustomRole) -> Result<()> {
    sqlx::query!(
        "update custom_roles set about = $2, permissions = $3, version = $4, updated_at = $5 where id = $1",
        role.id.uuid(),
        role.about,
        &role.permissions,
        role.version,
        role.updated_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn delete(connection: &mut PgConnection, id: RoleId) -> Result<()> {
    sqlx::query!("delete from custom_roles where id = $1", id.uuid()).execute(connection).await?;
    Ok(())
}

/// Whether anybody has it.
pub async fn is_held(db: impl PgExecutor<'_>, name: &str) -> Result<bool> {
    let held =
        sqlx::query_scalar!("select exists (select from users where roles @> array[$1]) as \"held!\"", name);
    Ok(held.fetch_one(db).await?)
}

/// Who has it.
pub async fn holders(db: impl PgExecutor<'_>, name: &str) -> Result<Vec<UserId>> {
    let holders = sqlx::query_scalar!("select id from users where roles @> array[$1] order by id", name);
    Ok(holders.fetch_all(db).await?.into_iter().map(UserId::from_uuid).collect())
}
