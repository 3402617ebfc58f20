//! Single-use links; of a link's token only the hash is here.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::id::UserId;
use quenty_platform::{Error, Result};
use sqlx::{PgConnection, PgExecutor};

use crate::domain::link::{Link, LinkPurpose};

pub async fn insert(connection: &mut PgConnection, link: &Link, token_hash: &[u8; 32]) -> Result<()> {
    sqlx::query!(
        "insert into links (id, user_id, purpose, token_hash, created_at, expires_at) values ($1, $2, $3, $4, $5, $6)",
        link.id,
        link.user_id.uuid(),
        link.purpose.as_str(),
        &token_hash[..],
        link.created_at.to_sqlx() as _,
        link.expires_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

struct Row {
    id: uuid::Uuid,
    user_id: uuid::Uuid,
    purpose: String,
    created_at: jiff_sqlx::Timestamp,
    expires_at: jiff_sqlx::Timestamp,
}

impl TryFrom<Row> for Link {
    type Error = Error;
    fn try_from(row: Row) -> Result<Self> {
        let purpose = LinkPurpose::parse(&row.purpose)
            .ok_or_else(|| Error::internal("a link has an unknown purpose"))?;
        Ok(Self {
            id: row.id,
            user_id: UserId::from_uuid(row.user_id),
            purpose,
            created_at: row.created_at.to_jiff(),
            expires_at: row.expires_at.to_jiff(),
        })
    }
}

/// The link of a token, if it can still be used.
pub async fn find(
    db: impl PgExecutor<'_>,
    purpose: LinkPurpose,
    token_hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Link>> {
    let row = sqlx::query_as!(
        Row,
        "select id, user_id, purpose, created_at, expires_at from links
         where token_hash = $1 and purpose = $2 and used_at is null and expires_at > $3",
        &token_hash[..],
        purpose.as_str(),
        now.to_sqlx() as _
    );
    row.fetch_optional(db).await?.map(Link::try_from).transpose()
}

/// As [`find`], so that only one transaction uses it.
pub async fn lock(
    connection: &mut PgConnection,
    purpose: LinkPurpose,
    token_hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Link>> {
    let row = sqlx::query_as!(
        Row,
        "select id, user_id, purpose, created_at, expires_at from links
         where token_hash = $1 and purpose = $2 and used_at is null and expires_at > $3 for update",
        &token_hash[..],
        purpose.as_str(),
        now.to_sqlx() as _
    );
    row.fetch_optional(connection).await?.map(Link::try_from).transpose()
}

/// No link of this user works any more.
pub async fn use_all(connection: &mut PgConnection, user: UserId, now: Timestamp) -> Result<()> {
    sqlx::query!(
        "update links set used_at = $2 where user_id = $1 and used_at is null",
        user.uuid(),
        now.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn prune(connection: &mut PgConnection, now: Timestamp) -> Result<()> {
    sqlx::query!("delete from links where expires_at < $1", now.to_sqlx() as _).execute(connection).await?;
    Ok(())
}
