//! Whose customers there are, as Customer told us.

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

/// No order is placed for the customer any more.
pub(crate) async fn forget(db: impl PgExecutor<'_>, id: CustomerId) -> Result<()> {
    sqlx::query!("delete from customers where id = $1", id.uuid()).execute(db).await?;
    Ok(())
}

pub(crate) async fn keep(db: impl PgExecutor<'_>, company: CompanyId, id: CustomerId) -> Result<()> {
    sqlx::query!(
        "insert into customers (id, company_id) values ($1, $2) on conflict (id) do nothing",
        id.uuid(),
        company.uuid()
    )
    .execute(db)
    .await?;
    Ok(())
}
