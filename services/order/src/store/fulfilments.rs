//! Rows of the sagas; they are read together with their orders.

use jiff_sqlx::ToSqlx;
use quenty_kernel::id::{PickupId, ShipmentId};
use quenty_platform::Error;
use sqlx::PgConnection;

use super::narrow;
use crate::domain::order::OrderState;

/// Writes the saga of a changed order; a new one is written with its order.
pub(crate) async fn save(connection: &mut PgConnection, order: &OrderState) -> Result<(), Error> {
    let f = &order.fulfilment;
    sqlx::query!(
        "update fulfilments set step = $2, shipment = $3, shipment_attempt = $4, shipment_id = $5, carrier = $6, tracking_number = $7,
             promised_at = $8, pickup = $9, pickup_attempt = $10, pickup_id = $11, window_start = $12, window_end = $13,
             deadline = $14, deadline_number = $15
         where order_id = $1",
        order.id.uuid(),
        order.step().as_str(),
        f.shipment.as_str(),
        narrow::<i32, _>(f.shipment_attempt)?,
        f.shipment_id.map(ShipmentId::uuid),
        f.carrier,
        f.tracking_number,
        f.promised_at.map(|at| at.to_sqlx()) as _,
        f.pickup.as_str(),
        narrow::<i32, _>(f.pickup_attempt)?,
        f.pickup_id.map(PickupId::uuid),
        f.window_start.map(|at| at.to_sqlx()) as _,
        f.window_end.map(|at| at.to_sqlx()) as _,
        f.deadline.map(|at| at.to_sqlx()) as _,
        narrow::<i32, _>(f.deadline_number)?
    )
    .execute(connection)
    .await?;
    Ok(())
}
