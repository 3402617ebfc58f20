//! Which user id an invited e-mail address has been promised.

use jiff_sqlx::ToSqlx;
use quenty_kernel::{Timestamp, contact::Email, id::UserId};
use quenty_platform::Result;
use sqlx::PgConnection;

/// The address's user id: the one of an earlier invitation, else `new`.
pub(crate) async fn promise(
    connection: &mut PgConnection,
    email: &Email,
    new: UserId,
    now: Timestamp,
) -> Result<UserId> {
    let id = sqlx::query_scalar!(
        "insert into user_invitations (user_id, email_key, invited_at) values ($1, $2, $3)
         on conflict (email_key) do update set invited_at = excluded.invited_at returning user_id",
        new.uuid(),
        email.canonical(),
        now.to_sqlx() as _
    )
    .fetch_one(connection)
    .await?;
    Ok(UserId::from_uuid(id))
}

/// The address has a user by now.
pub(crate) async fn settle(connection: &mut PgConnection, email: &Email) -> Result<()> {
    sqlx::query!("delete from user_invitations where email_key = $1", email.canonical())
        .execute(connection)
        .await?;
    Ok(())
}
