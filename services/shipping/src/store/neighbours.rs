//! What Shipping remembers of its neighbours: companies' standings, told by Customer, orders that Order cancelled, and
//! requests that Returns gave up before they came.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use quenty_contracts::customer::Standing as ToldStanding;
use quenty_kernel::id::{CompanyId, OrderId, ReturnId};
use sqlx::{PgConnection, PgExecutor};

use crate::{Error, domain::rules::Standing};

pub async fn find_standing(db: impl PgExecutor<'_>, company: CompanyId) -> Result<Option<Standing>, Error> {
    let row = sqlx::query_as!(
        Standing,
        "select may_order, may_ship_internationally, trade_name, time_zone from standings where company_id = $1",
        company.uuid()
    );
    Ok(row.fetch_optional(db).await?)
}

/// Keeps a standing, unless a newer one is known, or as new a one as whole.
pub async fn keep_standing(connection: &mut PgConnection, told: &ToldStanding) -> Result<(), Error> {
    sqlx::query!(
        "insert into standings (company_id, version, may_order, may_ship_internationally, trade_name, time_zone)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (company_id) do update set version = excluded.version, may_order = excluded.may_order,
             may_ship_internationally = excluded.may_ship_internationally, trade_name = excluded.trade_name,
             time_zone = excluded.time_zone
         where standings.version < excluded.version
             or (standings.version = excluded.version and standings.time_zone is null)",
        told.company_id.uuid(),
        told.version,
        told.may_order,
        told.may_ship_internationally,
        told.trade_name,
        told.time_zone
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps a standing, and gives the one that holds: a newer one may have been told meanwhile.
pub async fn newest_standing(connection: &mut PgConnection, told: &ToldStanding) -> Result<Standing, Error> {
    keep_standing(connection, told).await?;
    find_standing(connection, told.company_id).await?.ok_or(Error::NotFound("standing"))
}

pub async fn mark_cancelled(
    connection: &mut PgConnection,
    order: OrderId,
    at: Timestamp,
) -> Result<(), Error> {
    sqlx::query!(
        "insert into cancelled_orders (order_id, cancelled_at) values ($1, $2) on conflict (order_id) do nothing",
        order.uuid(),
        at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn is_cancelled(db: impl PgExecutor<'_>, order: OrderId) -> Result<bool, Error> {
    let found = sqlx::query_scalar!(
        r#"select exists (select from cancelled_orders where order_id = $1) as "cancelled!""#,
        order.uuid()
    );
    Ok(found.fetch_one(db).await?)
}

pub async fn mark_return_request_cancelled(
    connection: &mut PgConnection,
    id: ReturnId,
    attempt: u32,
    at: Timestamp,
) -> Result<(), Error> {
    sqlx::query!(
        "insert into cancelled_return_requests (return_id, attempt, cancelled_at) values ($1, $2, $3) on conflict do nothing",
        id.uuid(),
        i64::from(attempt),
        at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub async fn is_return_request_cancelled(
    db: impl PgExecutor<'_>,
    id: ReturnId,
    attempt: u32,
) -> Result<bool, Error> {
    let found = sqlx::query_scalar!(
        r#"select exists (select from cancelled_return_requests where return_id = $1 and attempt = $2) as "cancelled!""#,
        id.uuid(),
        i64::from(attempt)
    );
    Ok(found.fetch_one(db).await?)
}
