//! Registrations whose link has not been followed; of a link's token only the hash is here.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::contact::Email;
use quenty_platform::{Error, Result};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::domain::{person::Person, registration::Registration};

struct Row {
    id: Uuid,
    username: Option<String>,
    email: String,
    given_name: String,
    family_name: String,
    language: String,
    password_hash: String,
    created_at: jiff_sqlx::Timestamp,
    expires_at: jiff_sqlx::Timestamp,
}

impl TryFrom<Row> for Registration {
    type Error = Error;
    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: row.id,
            person: Person {
                username: row.username.map(|name| name.parse()).transpose().map_err(Error::internal)?,
                email: row.email.parse().map_err(Error::internal)?,
                given_name: row.given_name.parse().map_err(Error::internal)?,
                family_name: row.family_name.parse().map_err(Error::internal)?,
                language: row.language.parse().map_err(Error::internal)?,
            },
            password_hash: row.password_hash,
            created_at: row.created_at.to_jiff(),
            expires_at: row.expires_at.to_jiff(),
        })
    }
}

pub async fn insert(
    connection: &mut PgConnection,
    registration: &Registration,
    token_hash: &[u8; 32],
) -> Result<()> {
    let person = &registration.person;
    sqlx::query!(
        "insert into registrations (id, token_hash, username, email, email_key, given_name, family_name, language, password_hash, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        registration.id,
        &token_hash[..],
        person.username.as_ref().map(|name| name.as_str()),
        person.email.as_str(),
        person.email.canonical(),
        person.given_name.as_str(),
        person.family_name.as_str(),
        person.language.as_str(),
        registration.password_hash,
        registration.created_at.to_sqlx() as _,
        registration.expires_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn find(db: impl PgExecutor<'_>, id: Uuid) -> Result<Option<Registration>> {
    let row = sqlx::query_as!(
        Row,
        "select id, username, email, given_name, family_name, language, password_hash, created_at, expires_at
         from registrations where id = $1",
        id
    );
    row.fetch_optional(db).await?.map(Registration::try_from).transpose()
}

/// Registrations of the address that a token proves, with the hashes of their passwords: the token's own, then the newest.
pub async fn candidates(
    db: impl PgExecutor<'_>,
    token_hash: &[u8; 32],
    now: Timestamp,
) -> Result<Vec<(Uuid, String)>> {
    let rows = sqlx::query!(
        "select r.id, r.password_hash from registrations t
         join registrations r on r.email_key = t.email_key and r.expires_at > $2
         where t.token_hash = $1 and t.expires_at > $2 order by r.id = t.id desc, r.id desc limit 10",
        &token_hash[..],
        now.to_sqlx() as _
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(|row| (row.id, row.password_hash)).collect())
}

/// One that can still be used; only one transaction does.
pub async fn lock(connection: &mut PgConnection, id: Uuid, now: Timestamp) -> Result<Option<Registration>> {
    let row = sqlx::query_as!(
        Row,
        "select id, username, email, given_name, family_name, language, password_hash, created_at, expires_at
         from registrations where id = $1 and expires_at > $2 for update",
        id,
        now.to_sqlx() as _
    );
    row.fetch_optional(connection).await?.map(Registration::try_from).transpose()
}

/// The link of the newest registration of an address works until then, if that was made since `since`; tells which.
pub async fn renew(
    connection: &mut PgConnection,
    email: &Email,
    since: Timestamp,
    until: Timestamp,
    now: Timestamp,
) -> Result<Option<Uuid>> {
    Ok(sqlx::query_scalar!(
        "update registrations set expires_at = $3 where id in (
           select id from registrations where email_key = $1 and created_at > $2 and expires_at > $4 order by id desc limit 1)
         returning id",
        email.canonical(),
        since.to_sqlx() as _,
        until.to_sqlx() as _,
        now.to_sqlx() as _
    )
    .fetch_optional(connection)
    .await?)
}

/// The address has a user now.
pub async fn forget(connection: &mut PgConnection, email: &Email) -> Result<()> {
    sqlx::query!("delete from registrations where email_key = $1", email.canonical())
        .execute(connection)
        .await?;
    Ok(())
}

pub async fn prune(connection: &mut PgConnection, now: Timestamp) -> Result<()> {
    sqlx::query!("delete from registrations where expires_at < $1", now.to_sqlx() as _)
        .execute(connection)
        .await?;
    Ok(())
}
