//! Sessions and their refresh tokens; of a token only the hash is here.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_kernel::{
    Page, PageQuery,
    id::{CompanyId, SessionId, UserId},
};
use quenty_platform::Result;
use sqlx::{PgConnection, PgExecutor};

use crate::domain::session::{MOST_SESSIONS, RefreshToken, Session};

struct Row {
    id: uuid::Uuid,
    user_id: uuid::Uuid,
    company_id: Option<uuid::Uuid>,
    address: String,
    user_agent: String,
    created_at: jiff_sqlx::Timestamp,
    last_used_at: jiff_sqlx::Timestamp,
    expires_at: jiff_sqlx::Timestamp,
    ended_at: Option<jiff_sqlx::Timestamp>,
    amr: Vec<String>,
    authenticated_at: jiff_sqlx::Timestamp,
}

impl From<Row> for Session {
    fn from(row: Row) -> Self {
        Self {
            id: SessionId::from_uuid(row.id),
            user_id: UserId::from_uuid(row.user_id),
            company_id: row.company_id.map(CompanyId::from_uuid),
            address: row.address,
            user_agent: row.user_agent,
            created_at: row.created_at.to_jiff(),
            last_used_at: row.last_used_at.to_jiff(),
            expires_at: row.expires_at.to_jiff(),
            ended_at: row.ended_at.map(|t| t.to_jiff()),
            amr: row.amr,
            authenticated_at: row.authenticated_at.to_jiff(),
        }
    }
}

pub async fn insert(connection: &mut PgConnection, session: &Session) -> Result<()> {
    sqlx::query!(
        "insert into sessions (id, user_id, company_id, address, user_agent, created_at, last_used_at, expires_at, amr, authenticated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        session.id.uuid(),
        session.user_id.uuid(),
        session.company_id.map(CompanyId::uuid),
        session.address,
        session.user_agent,
        session.created_at.to_sqlx() as _,
        session.last_used_at.to_sqlx() as _,
        session.expires_at.to_sqlx() as _,
        &session.amr,
        session.authenticated_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Saves the company, the last use, and how and when the person proved to be it.
pub async fn save(connection: &mut PgConnection, session: &Session) -> Result<()> {
    sqlx::query!(
        "update sessions set company_id = $2, last_used_at = $3, amr = $4, authenticated_at = $5 where id = $1",
        session.id.uuid(),
        session.company_id.map(CompanyId::uuid),
        session.last_used_at.to_sqlx() as _,
        &session.amr,
        session.authenticated_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn find(db: impl PgExecutor<'_>, id: SessionId) -> Result<Option<Session>> {
    let row = sqlx::query_as!(
        Row,
        "select id, user_id, company_id, address, user_agent, created_at, last_used_at, expires_at, ended_at, amr, authenticated_at
         from sessions where id = $1",
        id.uuid()
    );
    Ok(row.fetch_optional(db).await?.map(Session::from))
}

pub async fn lock(connection: &mut PgConnection, id: SessionId) -> Result<Option<Session>> {
    let row = sqlx::query_as!(
        Row,
        "select id, user_id, company_id, address, user_agent, created_at, last_used_at, expires_at, ended_at, amr, authenticated_at
         from sessions where id = $1 for update",
        id.uuid()
    );
    Ok(row.fetch_optional(connection).await?.map(Session::from))
}

/// Locks the sessions of a user that were not ended.
pub async fn lock_all(connection: &mut PgConnection, user: UserId) -> Result<()> {
    sqlx::query_scalar!(
        "select id from sessions where user_id = $1 and ended_at is null order by id for update",
        user.uuid()
    )
    .fetch_all(connection)
    .await?;
    Ok(())
}

/// The session that a refresh token belongs to.
pub async fn find_by_token(db: impl PgExecutor<'_>, hash: &[u8; 32]) -> Result<Option<Session>> {
    let row = sqlx::query_as!(
        Row,
        "select s.id, s.user_id, s.company_id, s.address, s.user_agent, s.created_at, s.last_used_at, s.expires_at, s.ended_at, s.amr, s.authenticated_at
         from refresh_tokens t join sessions s on s.id = t.session_id where t.hash = $1",
        &hash[..]
    );
    Ok(row.fetch_optional(db).await?.map(Session::from))
}

/// Live sessions of a user, newest first.
pub async fn live(
    db: impl PgExecutor<'_>,
    user: UserId,
    page: &PageQuery,
    now: Timestamp,
) -> Result<Page<Session>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, user_id, company_id, address, user_agent, created_at, last_used_at, expires_at, ended_at, amr, authenticated_at
         from sessions where user_id = $1 and ended_at is null and expires_at > $2 and ($3::uuid is null or id < $3) order by id desc limit $4",
        user.uuid(),
        now.to_sqlx() as _,
        page.before(),
        page.fetch()
    )
    .fetch_all(db)
    .await?;
    Ok(Page::from_rows(rows.into_iter().map(Session::from).collect(), page, |session| session.id.uuid()))
}

/// The company that the user worked for last, as far as the newest sessions tell: there may be many that ended.
pub async fn last_company(db: impl PgExecutor<'_>, user: UserId) -> Result<Option<CompanyId>> {
    let company = sqlx::query_scalar!(
        "select company_id from (select company_id, last_used_at from sessions where user_id = $1 order by id desc limit $2) newest
         where company_id is not null order by last_used_at desc limit 1",
        user.uuid(),
        MOST_SESSIONS
    );
    Ok(company.fetch_optional(db).await?.flatten().map(CompanyId::from_uuid))
}

/// Ends the user's live sessions, one of them or all but one; tells which ended.
pub async fn end(
    connection: &mut PgConnection,
    user: UserId,
    only: Option<SessionId>,
    except: Option<SessionId>,
    reason: &str,
    now: Timestamp,
) -> Result<Vec<SessionId>> {
    let ended = sqlx::query_scalar!(
        "update sessions set ended_at = $4, end_reason = $5
         where user_id = $1 and ended_at is null and expires_at > $4 and ($2::uuid is null or id = $2) and ($3::uuid is null or id <> $3)
         returning id",
        user.uuid(),
        only.map(SessionId::uuid),
        except.map(SessionId::uuid),
        now.to_sqlx() as _,
        reason
    )
    .fetch_all(connection)
    .await?;
    Ok(ended.into_iter().map(SessionId::from_uuid).collect())
}

/// Ends the user's live sessions but the newest `kept`; tells which ended.
pub async fn end_oldest(
    connection: &mut PgConnection,
    user: UserId,
    kept: i64,
    reason: &str,
    now: Timestamp,
) -> Result<Vec<(SessionId, Timestamp)>> {
    let ended = sqlx::query!(
        "update sessions set ended_at = $3, end_reason = $4
         where ended_at is null and id in (
           select id from sessions where user_id = $1 and ended_at is null and expires_at > $3
           order by last_used_at desc, id desc offset $2)
         returning id, last_used_at as \"last_used_at: jiff_sqlx::Timestamp\"",
        user.uuid(),
        kept,
        now.to_sqlx() as _,
        reason
    )
    .fetch_all(connection)
    .await?;
    Ok(ended.into_iter().map(|row| (SessionId::from_uuid(row.id), row.last_used_at.to_jiff())).collect())
}

/// Sessions of a user that spoke for no company speak for this one from now on.
pub async fn enter_company(connection: &mut PgConnection, user: UserId, company: CompanyId) -> Result<()> {
    sqlx::query!(
        "update sessions set company_id = $2 where user_id = $1 and company_id is null and ended_at is null",
        user.uuid(),
        company.uuid()
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Sessions of a user that spoke for a company speak for none from now on.
pub async fn leave_company(connection: &mut PgConnection, user: UserId, company: CompanyId) -> Result<()> {
    sqlx::query!(
        "update sessions set company_id = null where user_id = $1 and company_id = $2 and ended_at is null",
        user.uuid(),
        company.uuid()
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn insert_token(
    connection: &mut PgConnection,
    session: SessionId,
    hash: &[u8; 32],
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "insert into refresh_tokens (hash, session_id, created_at, expires_at) values ($1, $2, $3, $4)",
        &hash[..],
        session.uuid(),
        now.to_sqlx() as _,
        expires_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Under the lock of its session.
pub async fn find_token(db: impl PgExecutor<'_>, hash: &[u8; 32]) -> Result<Option<RefreshToken>> {
    let row = sqlx::query!("select expires_at, used_at from refresh_tokens where hash = $1", &hash[..])
        .fetch_optional(db)
        .await?;
    Ok(row.map(|row| RefreshToken {
        expires_at: row.expires_at.to_jiff(),
        used_at: row.used_at.map(|t| t.to_jiff()),
    }))
}

pub async fn use_token(connection: &mut PgConnection, hash: &[u8; 32], now: Timestamp) -> Result<()> {
    sqlx::query!("update refresh_tokens set used_at = $2 where hash = $1", &hash[..], now.to_sqlx() as _)
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets sessions whose time is over; one that ended early stays until then, so that a reuse is still seen.
pub async fn prune(connection: &mut PgConnection, now: Timestamp) -> Result<()> {
    sqlx::query!("delete from sessions where expires_at < $1", now.to_sqlx() as _)
        .execute(connection)
        .await?;
    Ok(())
}
