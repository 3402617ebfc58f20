//! Which pickup answered which request of an order or a return. Only their own events come here, so there is no scope.

use quenty_kernel::id::PickupId;
use quenty_platform::Result;
use sqlx::PgConnection;

use super::unreadable;
use crate::domain::booking::Asker;

fn attempt_number(attempt: u32) -> Result<i32> {
    i32::try_from(attempt).map_err(|_| unreadable("attempt"))
}

/// Claims the request for this pickup; false, if it was answered before.
pub(crate) async fn claim(
    connection: &mut PgConnection,
    asker: Asker,
    attempt: u32,
    pickup: PickupId,
) -> Result<bool> {
    let attempt = attempt_number(attempt)?;
    let claimed = match asker {
        Asker::Order(order) => {
            sqlx::query!(
                "insert into order_requests (order_id, attempt, pickup_id) values ($1, $2, $3) on conflict do nothing",
                order.uuid(),
                attempt,
                pickup.uuid()
            )
            .execute(connection)
            .await?
        }
        Asker::Return(id) => {
            sqlx::query!(
                "insert into return_requests (return_id, attempt, pickup_id) values ($1, $2, $3) on conflict do nothing",
                id.uuid(),
                attempt,
                pickup.uuid()
            )
            .execute(connection)
            .await?
        }
    };
    Ok(claimed.rows_affected() == 1)
}

pub(crate) async fn find(
    connection: &mut PgConnection,
    asker: Asker,
    attempt: u32,
) -> Result<Option<PickupId>> {
    let attempt = attempt_number(attempt)?;
    let found = match asker {
        Asker::Order(order) => {
            sqlx::query_scalar!(
                "select pickup_id from order_requests where order_id = $1 and attempt = $2",
                order.uuid(),
                attempt
            )
            .fetch_optional(connection)
            .await?
        }
        Asker::Return(id) => {
            sqlx::query_scalar!(
                "select pickup_id from return_requests where return_id = $1 and attempt = $2",
                id.uuid(),
                attempt
            )
            .fetch_optional(connection)
            .await?
        }
    };
    Ok(found.map(PickupId::from_uuid))
}
