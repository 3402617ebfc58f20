//! Which pickup answered which request of an order. Only Order's own events come here, so there is no scope.

use quenty_kernel::id::{OrderId, PickupId};
use quenty_platform::Result;
use sqlx::PgConnection;

use super::unreadable;

fn attempt_number(attempt: u32) -> Result<i32> {
    i32::try_from(attempt).map_err(|_| unreadable("attempt"))
}

/// Claims the request for this pickup; false, if it was answered before.
pub(crate) async fn claim(
    connection: &mut PgConnection,
    order: OrderId,
    attempt: u32,
    pickup: PickupId,
) -> Result<bool> {
    let claimed = sqlx::query!(
        "insert into order_requests (order_id, attempt, pickup_id) values ($1, $2, $3) on conflict do nothing",
        order.uuid(),
        attempt_number(attempt)?,
        pickup.uuid()
    )
    .execute(connection)
    .await?;
    Ok(claimed.rows_affected() == 1)
}

pub(crate) async fn find(
    connection: &mut PgConnection,
    order: OrderId,
    attempt: u32,
) -> Result<Option<PickupId>> {
    let found = sqlx::query_scalar!(
        "select pickup_id from order_requests where order_id = $1 and attempt = $2",
        order.uuid(),
        attempt_number(attempt)?
    )
    .fetch_optional(connection)
    .await?;
    Ok(found.map(PickupId::from_uuid))
}
