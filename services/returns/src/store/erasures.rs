//! Persons who are to be erased, and what is held of them.

use quenty_contracts::party::Party;
use quenty_kernel::id::{CompanyId, CustomerId, PrivacyRequestId, ReturnId};
use quenty_platform::{Result, row::document};
use serde_json::{Value, json};
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

/// The request that waits for this customer's returns, if there is one. Two returns that end at once see each other's end.
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

/// A rejected return has ended, unless somebody objects.
pub(crate) async fn held(
    connection: &mut PgConnection,
    company: CompanyId,
    customer: CustomerId,
) -> Result<Held> {
    let rows = sqlx::query!(
        "select r.id, r.status not in ('closed', 'cancelled', 'expired', 'rejected') as \"under_way!\"
         from returns r join delivered_orders o on o.id = r.order_id
         where o.company_id = $1 and o.customer_id = $2 order by r.id",
        company.uuid(),
        customer.uuid()
    )
    .fetch_all(connection)
    .await?;
    let under_way = rows.iter().filter(|row| row.under_way).map(|row| ReturnId::from_uuid(row.id)).collect();
    Ok(Held { all: rows.iter().map(|row| ReturnId::from_uuid(row.id)).collect(), under_way })
}

/// Orders come before their returns, and these before the request, as when one of them ends.
pub(crate) async fn lock_orders(
    connection: &mut PgConnection,
    company: CompanyId,
    customer: CustomerId,
) -> Result<()> {
    sqlx::query!(
        "select id from delivered_orders where company_id = $1 and customer_id = $2 order by id for update",
        company.uuid(),
        customer.uuid()
    )
    .fetch_all(connection)
    .await?;
    Ok(())
}

/// Strips the customer's delivered orders of whom they went to; how many there were.
pub(crate) async fn erase_orders(
    connection: &mut PgConnection,
    company: CompanyId,
    customer: CustomerId,
) -> Result<u32> {
    let rows = sqlx::query!(
        "select id, consignee from delivered_orders where company_id = $1 and customer_id = $2",
        company.uuid(),
        customer.uuid()
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut erased: Vec<Value> = Vec::new();
    for row in rows {
        let consignee: Party = document(row.consignee)?;
        if !consignee.is_erased() {
            erased.push(json!({"id": row.id, "consignee": consignee.erased()}));
        }
    }
    let count = u32::try_from(erased.len()).map_err(quenty_platform::Error::internal)?;
    sqlx::query!(
        "update delivered_orders o set consignee = e.consignee
         from jsonb_to_recordset($1) as e(id uuid, consignee jsonb) where o.id = e.id",
        Value::Array(erased)
    )
    .execute(connection)
    .await?;
    Ok(count)
}

/// How the customer is written to, and the links that the buyer had: nobody knows the new ones.
pub(crate) async fn forget(
    connection: &mut PgConnection,
    customer: CustomerId,
    links: &[(ReturnId, String)],
) -> Result<()> {
    let (ids, tokens): (Vec<_>, Vec<_>) = links.iter().map(|(id, token)| (id.uuid(), token.clone())).unzip();
    sqlx::query!(
        "update returns r set tracking_token = n.token from unnest($1::uuid[], $2::text[]) as n(id, token) where r.id = n.id",
        &ids,
        &tokens
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!("delete from customers where id = $1", customer.uuid()).execute(connection).await?;
    Ok(())
}
