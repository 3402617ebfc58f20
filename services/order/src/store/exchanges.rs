//! Rows of exchanges: by which order the goods of a return were replaced.

use jiff_sqlx::ToSqlx;
use quenty_contracts::order::{Exchange, ExchangePlaced};
use quenty_kernel::{
    Timestamp,
    id::{CompanyId, OrderId, ReturnId},
};
use quenty_platform::Result;
use sqlx::PgExecutor;

use super::money;

pub(crate) async fn find(
    db: impl PgExecutor<'_>,
    company: CompanyId,
    id: ReturnId,
) -> Result<Option<ExchangePlaced>> {
    let row = sqlx::query!(
        "select order_id, total, paid, currency from exchanges where company_id = $1 and return_id = $2",
        company.uuid(),
        id.uuid()
    )
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        Ok(ExchangePlaced {
            order_id: OrderId::from_uuid(row.order_id),
            total: money(row.total, &row.currency)?,
            paid: money(row.paid, &row.currency)?,
        })
    })
    .transpose()
}

/// Needs the lock of the order whose goods came back.
pub(crate) async fn insert(
    db: impl PgExecutor<'_>,
    exchange: &Exchange,
    placed: &ExchangePlaced,
    now: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "insert into exchanges (company_id, return_id, returned_order_id, order_id, total, paid, currency, placed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        exchange.company_id.uuid(),
        exchange.return_id.uuid(),
        exchange.order_id.uuid(),
        placed.order_id.uuid(),
        placed.total.amount(),
        placed.paid.amount(),
        placed.total.currency().code(),
        now.to_sqlx() as _
    )
    .execute(db)
    .await?;
    Ok(())
}
