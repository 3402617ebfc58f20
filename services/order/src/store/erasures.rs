//! Persons who are to be erased, and what is held of them.

use quenty_kernel::id::{CompanyId, CustomerId, OrderId, PrivacyRequestId};
use quenty_platform::Result;
use sqlx::PgConnection;

use crate::domain::erasure::Held;

/// Has a request wait, also one that did before.
pub(crate) async fn put_waiting(
    connection: &mut PgConnection,
    id: PrivacyRequestId,
    company: CompanyId,
    customer: CustomerId,
) -> Result<()> {
    sqlx::query!(
        "insert into erasures (request_id, company_id, customer_id, status) values ($1, $2, $3, 'waiting')
         on conflict (request_id) do update set status = 'waiting'",
        id.uuid(),
        company.uuid(),
        customer.uuid()
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The request that waits for this customer's orders, if there is one. Two orders that end at once see each other's end.
pub(crate) async fn lock_waiting(
    connection: &mut PgConnection,
    customer: CustomerId,
) -> Result<Option<PrivacyRequestId>> {
    let id = sqlx::query_scalar!(
        "select request_id from erasures where customer_id = $1 and status = 'waiting' for update",
        customer.uuid()
    );
    Ok(id.fetch_optional(connection).await?.map(PrivacyRequestId::from_uuid))
}

pub(crate) async fn set_erased(connection: &mut PgConnection, id: PrivacyRequestId) -> Result<()> {
    sqlx::query!("update erasures set status = 'erased' where request_id = $1", id.uuid())
        .execute(connection)
        .await?;
    Ok(())
}

pub(crate) async fn held(
    connection: &mut PgConnection,
    company: CompanyId,
    customer: CustomerId,
) -> Result<Held> {
    let rows = sqlx::query!(
        "select o.id, f.step <> 'closed' as \"under_way!\" from orders o join fulfilments f on f.order_id = o.id
         where o.company_id = $1 and o.customer_id = $2 order by o.id",
        company.uuid(),
        customer.uuid()
    )
    .fetch_all(connection)
    .await?;
    let under_way = rows.iter().filter(|row| row.under_way).map(|row| OrderId::from_uuid(row.id)).collect();
    Ok(Held { all: rows.iter().map(|row| OrderId::from_uuid(row.id)).collect(), under_way })
}

/// Orders come before the request, as when one of them ends.
pub(crate) async fn lock_orders(
    connection: &mut PgConnection,
    company: CompanyId,
    customer: CustomerId,
) -> Result<()> {
    sqlx::query!(
        "select id from orders where company_id = $1 and customer_id = $2 order by id for update",
        company.uuid(),
        customer.uuid()
    )
    .fetch_all(connection)
    .await?;
    Ok(())
}
