//! Members: one row each, kept when they are removed.

use jiff_sqlx::ToSqlx;
use quenty_contracts::customer::Membership;
use quenty_kernel::{
    PageQuery, Scope, Timestamp,
    contact::{Email, Text},
    id::{CompanyId, MemberId, UserId},
};
use quenty_platform::Result;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::{parse, parse_some};
use crate::domain::member::{Member, MemberRole, MemberState};

struct Row {
    id: Uuid,
    company_id: Uuid,
    user_id: Option<Uuid>,
    email: Option<String>,
    role: String,
    status: String,
    invited_by: Option<Uuid>,
    version: i64,
    created_at: jiff_sqlx::Timestamp,
    updated_at: jiff_sqlx::Timestamp,
}

/// `select … from members` and the rest of the statement.
macro_rules! select {
    ($rest:literal $(, $value:expr)*) => {
        sqlx::query_as!(
            Row,
            "select id, company_id, user_id, email, role, status, invited_by, version, created_at, updated_at from members " + $rest
            $(, $value)*
        )
    };
}

impl TryFrom<Row> for Member {
    type Error = quenty_platform::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self::from_state(MemberState {
            id: MemberId::from_uuid(row.id),
            company_id: CompanyId::from_uuid(row.company_id),
            user_id: row.user_id.map(UserId::from_uuid),
            email: parse_some(row.email.as_deref())?,
            role: parse(&row.role)?,
            status: parse(&row.status)?,
            invited_by: row.invited_by.map(UserId::from_uuid),
            version: row.version,
            created_at: row.created_at.to_jiff(),
            updated_at: row.updated_at.to_jiff(),
        }))
    }
}

/// Those who are in a company or invited.
pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    scope: Scope,
    company: CompanyId,
    page: &PageQuery,
) -> Result<Vec<Member>> {
    let rows = select!(
        "where company_id = $2 and ($1::uuid is null or company_id = $1) and status <> 'removed' and ($3::uuid is null or id < $3)
         order by id desc limit $4",
        scope.company_uuid(),
        company.uuid(),
        page.before(),
        page.fetch()
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Member::try_from).collect()
}

/// One who is in the company or invited.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    scope: Scope,
    company: CompanyId,
    id: MemberId,
) -> Result<Option<Member>> {
    let row = select!(
        "where id = $3 and company_id = $2 and ($1::uuid is null or company_id = $1) and status <> 'removed' for update",
        scope.company_uuid(),
        company.uuid(),
        id.uuid()
    )
    .fetch_optional(connection)
    .await?;
    row.map(Member::try_from).transpose()
}

/// An invitation by its id and the address it went to: who has both may see it, whatever their company.
pub(crate) async fn find_invited(
    db: impl PgExecutor<'_>,
    id: MemberId,
    email: &Email,
) -> Result<Option<Member>> {
    let row =
        select!("where id = $1 and email_key = $2 and status <> 'removed'", id.uuid(), email.canonical())
            .fetch_optional(db)
            .await?;
    row.map(Member::try_from).transpose()
}

/// As [`find_invited`]; under the lock of its company.
pub(crate) async fn lock_invited(
    connection: &mut PgConnection,
    id: MemberId,
    email: &Email,
) -> Result<Option<Member>> {
    let row = select!(
        "where id = $1 and email_key = $2 and status <> 'removed' for update",
        id.uuid(),
        email.canonical()
    )
    .fetch_optional(connection)
    .await?;
    row.map(Member::try_from).transpose()
}

/// All open invitations of an address, in the order in which their companies are locked.
pub(crate) async fn all_invited(db: impl PgExecutor<'_>, email: &Email) -> Result<Vec<Member>> {
    let rows = select!("where email_key = $1 and status = 'invited' order by company_id", email.canonical())
        .fetch_all(db)
        .await?;
    rows.into_iter().map(Member::try_from).collect()
}

/// An open invitation with the company's name, for who was invited.
pub(crate) struct OpenInvitation {
    pub(crate) id: MemberId,
    pub(crate) company_id: CompanyId,
    pub(crate) company_name: Text<120>,
    pub(crate) role: MemberRole,
    pub(crate) created_at: Timestamp,
}

/// The open invitations of an address, newest first.
pub(crate) async fn list_invitations(
    db: impl PgExecutor<'_>,
    email: &Email,
    page: &PageQuery,
) -> Result<Vec<OpenInvitation>> {
    let rows = sqlx::query!(
        "select m.id, m.company_id, c.trade_name, m.role, m.created_at as \"created_at: jiff_sqlx::Timestamp\"
         from members m join companies c on c.id = m.company_id
         where m.email_key = $1 and m.status = 'invited' and c.status <> 'closed' and ($2::uuid is null or m.id < $2)
         order by m.id desc limit $3",
        email.canonical(),
        page.before(),
        page.fetch()
    )
    .fetch_all(db)
    .await?;
    let invitations = rows.into_iter().map(|row| {
        Ok(OpenInvitation {
            id: MemberId::from_uuid(row.id),
            company_id: CompanyId::from_uuid(row.company_id),
            company_name: parse(&row.trade_name)?,
            role: parse(&row.role)?,
            created_at: row.created_at.to_jiff(),
        })
    });
    invitations.collect()
}

/// Who is in the company or invited under this address.
pub(crate) async fn find_by_email(
    db: impl PgExecutor<'_>,
    company: CompanyId,
    email: &Email,
) -> Result<Option<MemberId>> {
    let id = sqlx::query_scalar!(
        "select m.id from members m where m.company_id = $1 and (m.email_key = $2 and m.status <> 'removed'
            or m.status = 'active' and m.user_id in (select p.user_id from profiles p where p.email_key = $2)) limit 1",
        company.uuid(),
        email.canonical()
    )
    .fetch_optional(db)
    .await?;
    Ok(id.map(MemberId::from_uuid))
}

pub(crate) async fn find_active(
    db: impl PgExecutor<'_>,
    company: CompanyId,
    user: UserId,
) -> Result<Option<MemberId>> {
    let id = sqlx::query_scalar!(
        "select id from members where company_id = $1 and user_id = $2 and status = 'active'",
        company.uuid(),
        user.uuid()
    )
    .fetch_optional(db)
    .await?;
    Ok(id.map(MemberId::from_uuid))
}

/// Who cannot log in keeps no company; whose profile is still on its way here does.
pub(crate) async fn count_other_owners(
    db: impl PgExecutor<'_>,
    company: CompanyId,
    besides: MemberId,
) -> Result<i64> {
    let owners = sqlx::query_scalar!(
        "select count(*) as \"count!\" from members m
         where m.company_id = $1 and m.id <> $2 and m.status = 'active' and m.role = 'owner'
           and not exists (select from profiles p where p.user_id = m.user_id and p.status = 'deactivated')",
        company.uuid(),
        besides.uuid()
    )
    .fetch_one(db)
    .await?;
    Ok(owners)
}

/// In which companies a user is, oldest first.
pub(crate) async fn memberships(db: impl PgExecutor<'_>, user: UserId) -> Result<Vec<Membership>> {
    let rows = sqlx::query!(
        "select id, company_id, role from members where user_id = $1 and status = 'active' order by id",
        user.uuid()
    )
    .fetch_all(db)
    .await?;
    let membership = |member: Uuid, company: Uuid, role| Membership {
        member_id: MemberId::from_uuid(member),
        company_id: CompanyId::from_uuid(company),
        user_id: user,
        role,
    };
    Ok(rows.into_iter().map(|row| membership(row.id, row.company_id, row.role)).collect())
}

pub(crate) async fn insert(connection: &mut PgConnection, member: &Member) -> Result<()> {
    let state = member.state();
    sqlx::query!(
        "insert into members (id, company_id, user_id, email, email_key, role, status, invited_by, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)",
        state.id.uuid(),
        state.company_id.uuid(),
        state.user_id.map(UserId::uuid),
        state.email.as_ref().map(Email::as_str),
        state.email.as_ref().map(Email::canonical),
        state.role.as_str(),
        state.status.as_str(),
        state.invited_by.map(UserId::uuid),
        state.version,
        state.created_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn save(connection: &mut PgConnection, member: &Member) -> Result<()> {
    let state = member.state();
    sqlx::query!(
        "update members set user_id = $2, role = $3, status = $4, version = $5, updated_at = $6 where id = $1",
        state.id.uuid(),
        state.user_id.map(UserId::uuid),
        state.role.as_str(),
        state.status.as_str(),
        state.version,
        state.updated_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}
