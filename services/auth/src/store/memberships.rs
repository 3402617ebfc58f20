//! Who belongs to which company, as Customer told, and which companies are stopped.

use quenty_contracts::customer::{Membership as Told, Standing};
use quenty_kernel::id::{CompanyId, MemberId, UserId};
use quenty_platform::Result;
use sqlx::{PgConnection, PgExecutor};

use crate::domain::access::Membership;

pub async fn of_user(db: impl PgExecutor<'_>, user: UserId) -> Result<Vec<Membership>> {
    let rows = sqlx::query!(
        "select m.company_id, m.role, coalesce(s.status in ('suspended', 'closed'), false) as \"stopped!\"
         from memberships m left join company_standings s on s.company_id = m.company_id
         where m.user_id = $1 and not m.removed order by m.member_id",
        user.uuid()
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Membership {
            company_id: CompanyId::from_uuid(row.company_id),
            role: row.role,
            company_is_stopped: row.stopped,
        })
        .collect())
}

/// What an event of the member's own stream says: it wins over everything heard before.
pub async fn put(
    connection: &mut PgConnection,
    member: MemberId,
    company: CompanyId,
    user: UserId,
    role: &str,
) -> Result<()> {
    sqlx::query!(
        "insert into memberships (member_id, company_id, user_id, role) values ($1, $2, $3, $4)
         on conflict (member_id) do update set role = $4, removed = false",
        member.uuid(),
        company.uuid(),
        user.uuid(),
        role
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What Customer answered when asked: an answer may be older than what was heard, so that it only fills gaps.
pub async fn fill(connection: &mut PgConnection, memberships: &[Told]) -> Result<()> {
    for told in memberships {
        sqlx::query!(
            "insert into memberships (member_id, company_id, user_id, role) values ($1, $2, $3, $4) on conflict do nothing",
            told.member_id.uuid(),
            told.company_id.uuid(),
            told.user_id.uuid(),
            told.role
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

pub async fn remove(
    connection: &mut PgConnection,
    member: MemberId,
    company: CompanyId,
    user: UserId,
) -> Result<()> {
    sqlx::query!(
        "insert into memberships (member_id, company_id, user_id, role, removed) values ($1, $2, $3, 'viewer', true)
         on conflict (member_id) do update set removed = true",
        member.uuid(),
        company.uuid(),
        user.uuid()
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The next membership of a person in a company after this one, if one stands: ids tell which is from when, as with keys.
pub async fn next(
    db: impl PgExecutor<'_>,
    after: MemberId,
    company: CompanyId,
    user: UserId,
) -> Result<Option<MemberId>> {
    let next = sqlx::query_scalar!(
        "select member_id from memberships where user_id = $1 and company_id = $2 and member_id > $3 and not removed
         order by member_id limit 1",
        user.uuid(),
        company.uuid(),
        after.uuid()
    );
    Ok(next.fetch_optional(db).await?.map(MemberId::from_uuid))
}

/// Keeps the newest standing of a company.
pub async fn put_standing(connection: &mut PgConnection, standing: &Standing) -> Result<()> {
    sqlx::query!(
        "insert into company_standings (company_id, status, version) values ($1, $2, $3)
         on conflict (company_id) do update set status = $2, version = $3 where company_standings.version < $3",
        standing.company_id.uuid(),
        standing.status,
        standing.version
    )
    .execute(connection)
    .await?;
    Ok(())
}
