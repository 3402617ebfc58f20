//! Rows of the sagas; they are read together with their orders.

use jiff_sqlx::ToSqlx;
use quenty_kernel::id::{PickupId, ShipmentId};
use quenty_platform::Error;
use sqlx::PgConnection;

use crate::domain::order::OrderState;

fn count(number: u32) -> Result<i32, Error> {
    i32::try_from(number).map_err(Error::internal)
}

/// Writes the saga of an order, new or not.
pub(crate) async fn put(connection: &mut PgConnection, order: &OrderState) -> Result<(), Error> {
    let f = &order.fulfilment;
    sqlx::query!(
        "insert into fulfilments (order_id, step, shipment, shipment_attempt, shipment_id, carrier, tracking_number, promised_at, pickup,
                                  pickup_attempt, pickup_id, window_start, window_end, deadline, deadline_number)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         on conflict (order_id) do update set step = excluded.step, shipment = excluded.shipment,
             shipment_attempt = excluded.shipment_attempt, shipment_id = excluded.shipment_id, carrier = excluded.carrier,
             tracking_number = excluded.tracking_number, promised_at = excluded.promised_at, pickup = excluded.pickup,
             pickup_attempt = excluded.pickup_attempt, pickup_id = excluded.pickup_id, window_start = excluded.window_start,
             window_end = excluded.window_end, deadline = excluded.deadline, deadline_number = excluded.deadline_number",
        order.id.uuid(),
        order.step().as_str(),
        f.shipment.as_str(),
        count(f.shipment_attempt)?,
        f.shipment_id.map(ShipmentId::uuid),
        f.carrier,
        f.tracking_number,
        f.promised_at.map(|at| at.to_sqlx()) as _,
        f.pickup.as_str(),
        count(f.pickup_attempt)?,
        f.pickup_id.map(PickupId::uuid),
        f.window_start.map(|at| at.to_sqlx()) as _,
        f.window_end.map(|at| at.to_sqlx()) as _,
        f.deadline.map(|at| at.to_sqlx()) as _,
        count(f.deadline_number)?
    )
    .execute(connection)
    .await?;
    Ok(())
}
