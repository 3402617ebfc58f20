//! The platform roles of users, as Auth told.

use quenty_kernel::id::UserId;
use quenty_platform::Result;
use sqlx::{PgConnection, PgExecutor};

pub(crate) async fn put(connection: &mut PgConnection, user: UserId, roles: &[String]) -> Result<()> {
    sqlx::query!(
        "insert into staff (user_id, roles) values ($1, $2) on conflict (user_id) do update set roles = $2",
        user.uuid(),
        roles
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn roles(db: impl PgExecutor<'_>, user: UserId) -> Result<Vec<String>> {
    let roles = sqlx::query_scalar!("select roles from staff where user_id = $1", user.uuid());
    Ok(roles.fetch_optional(db).await?.unwrap_or_default())
}
