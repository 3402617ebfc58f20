//! Whose customers there are, and who of them is blocked, as Customer told us.

use quenty_kernel::id::{CompanyId, CustomerId};
use quenty_platform::Result;
use sqlx::PgExecutor;

pub(crate) async fn exists(db: impl PgExecutor<'_>, company: CompanyId, id: CustomerId) -> Result<bool> {
    let known = sqlx::query_scalar!(
        "select exists (select from customers where id = $1 and company_id = $2) as \"known!\"",
        id.uuid(),
        company.uuid()
    )
    .fetch_one(db)
    .await?;
    Ok(known)
}

/// Whether the company sells to the customer no more; not, as long as nothing was heard of them.
pub(crate) async fn is_blocked(db: impl PgExecutor<'_>, company: CompanyId, id: CustomerId) -> Result<bool> {
    let blocked = sqlx::query_scalar!(
        "select exists (select from customers where id = $1 and company_id = $2 and blocked) as \"blocked!\"",
        id.uuid(),
        company.uuid()
    )
    .fetch_one(db)
    .await?;
    Ok(blocked)
}

/// No order is placed for the customer any more.
pub(crate) async fn forget(db: impl PgExecutor<'_>, id: CustomerId) -> Result<()> {
    sqlx::query!("delete from customers where id = $1", id.uuid()).execute(db).await?;
    Ok(())
}

/// Customer's events of one customer come one after the other: the last one holds.
pub(crate) async fn keep(
    db: impl PgExecutor<'_>,
    company: CompanyId,
    id: CustomerId,
    blocked: bool,
) -> Result<()> {
    sqlx::query!(
        "insert into customers (id, company_id, blocked) values ($1, $2, $3)
         on conflict (id) do update set blocked = excluded.blocked",
        id.uuid(),
        company.uuid(),
        blocked
    )
    .execute(db)
    .await?;
    Ok(())
}
