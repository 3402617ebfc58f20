//! Users. They are no company's: whom others see of them is Customer's matter.

use jiff_sqlx::ToSqlx;
use quenty_kernel::{Page, PageQuery, id::UserId};
use quenty_platform::{Error, Result};
use sqlx::{PgConnection, PgExecutor};

use crate::domain::user::{User, UserStatus};

struct Row {
    id: uuid::Uuid,
    username: String,
    email: String,
    given_name: String,
    family_name: String,
    language: String,
    status: String,
    verified: bool,
    roles: Vec<String>,
    version: i64,
    created_at: jiff_sqlx::Timestamp,
    updated_at: jiff_sqlx::Timestamp,
}

impl TryFrom<Row> for User {
    type Error = Error;
    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: UserId::from_uuid(row.id),
            username: row.username,
            email: row.email.parse().map_err(Error::internal)?,
            given_name: row.given_name,
            family_name: row.family_name,
            language: row.language,
            status: UserStatus::parse(&row.status)
                .ok_or_else(|| Error::internal("a user has an unknown status"))?,
            verified: row.verified,
            roles: row.roles,
            version: row.version,
            created_at: row.created_at.to_jiff(),
            updated_at: row.updated_at.to_jiff(),
        })
    }
}

/// The form in which names and addresses are compared.
#[must_use]
pub fn key(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Any number that no other advisory lock of this database uses.
const STAFF_LOCK: i64 = 0x5157_5354_4146;

/// Changes of roles and suspensions wait for each other: two that each leave another super_admin must not leave none.
pub async fn lock_staff(connection: &mut PgConnection) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock($1)", STAFF_LOCK).execute(connection).await?;
    Ok(())
}

pub async fn any(db: impl PgExecutor<'_>) -> Result<bool> {
    Ok(sqlx::query_scalar!("select exists (select from users) as \"any!\"").fetch_one(db).await?)
}

pub async fn active_super_admins(db: impl PgExecutor<'_>) -> Result<Vec<UserId>> {
    let ids = sqlx::query_scalar!(
        "select id from users where roles @> array['super_admin'] and status = 'active' order by id"
    );
    Ok(ids.fetch_all(db).await?.into_iter().map(UserId::from_uuid).collect())
}

/// By username or e-mail address, in any case.
pub async fn find_by_login(db: impl PgExecutor<'_>, login: &str) -> Result<Option<User>> {
    let row = sqlx::query_as!(
        Row,
        "select id, username, email, given_name, family_name, language, status, verified, roles, version, created_at, updated_at
         from users where username_key = $1 or email_key = $1",
        key(login)
    );
    row.fetch_optional(db).await?.map(User::try_from).transpose()
}

pub async fn find(db: impl PgExecutor<'_>, id: UserId) -> Result<Option<User>> {
    let row = sqlx::query_as!(
        Row,
        "select id, username, email, given_name, family_name, language, status, verified, roles, version, created_at, updated_at
         from users where id = $1",
        id.uuid()
    );
    row.fetch_optional(db).await?.map(User::try_from).transpose()
}

pub async fn lock(connection: &mut PgConnection, id: UserId) -> Result<Option<User>> {
    let row = sqlx::query_as!(
        Row,
        "select id, username, email, given_name, family_name, language, status, verified, roles, version, created_at, updated_at
         from users where id = $1 for update",
        id.uuid()
    );
    row.fetch_optional(connection).await?.map(User::try_from).transpose()
}

/// As [`find_by_login`], so that only one transaction changes the user.
pub async fn lock_by_login(connection: &mut PgConnection, login: &str) -> Result<Option<User>> {
    match find_by_login(&mut *connection, login).await? {
        Some(user) => lock(connection, user.id()).await,
        None => Ok(None),
    }
}

/// What a list of users may be narrowed to.
#[derive(Debug, Default)]
pub struct Filter {
    pub status: Option<UserStatus>,
    pub role: Option<String>,
    pub email: Option<String>,
}

pub async fn list(db: impl PgExecutor<'_>, filter: &Filter, page: &PageQuery) -> Result<Page<User>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, username, email, given_name, family_name, language, status, verified, roles, version, created_at, updated_at
         from users
         where ($1::text is null or status = $1) and ($2::text is null or roles @> array[$2]) and ($3::text is null or email_key = $3)
           and ($4::uuid is null or id < $4)
         order by id desc limit $5",
        filter.status.map(UserStatus::as_str),
        filter.role,
        filter.email.as_deref().map(key),
        page.before(),
        page.fetch()
    )
    .fetch_all(db)
    .await?;
    let users = rows.into_iter().map(User::try_from).collect::<Result<Vec<_>>>()?;
    Ok(Page::from_rows(users, page, |user| user.id.uuid()))
}

/// Inserts a user unless the username or the e-mail address is taken.
pub async fn insert(connection: &mut PgConnection, user: &User) -> Result<bool> {
    let inserted = sqlx::query!(
        "insert into users (id, username, username_key, email, email_key, given_name, family_name, language, status, verified, roles, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) on conflict do nothing",
        user.id.uuid(),
        user.username,
        key(&user.username),
        user.email.as_str(),
        user.email.canonical(),
        user.given_name,
        user.family_name,
        user.language,
        user.status.as_str(),
        user.verified,
        &user.roles,
        user.version,
        user.created_at.to_sqlx() as _,
        user.updated_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Saves what can change.
pub async fn save(connection: &mut PgConnection, user: &User) -> Result<()> {
    sqlx::query!(
        "update users set given_name = $2, family_name = $3, language = $4, status = $5, verified = $6, roles = $7, version = $8, updated_at = $9 where id = $1",
        user.id.uuid(),
        user.given_name,
        user.family_name,
        user.language,
        user.status.as_str(),
        user.verified,
        &user.roles,
        user.version,
        user.updated_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}
