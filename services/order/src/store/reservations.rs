//! Rows of reservations.

use jiff_sqlx::ToSqlx;
use quenty_kernel::id::{CompanyId, OrderId, ReservationId, WarehouseId};
use quenty_platform::Result;
use sqlx::PgConnection;

use super::parse;
use crate::domain::reservation::{Reservation, ReservationState};

/// Reservations are reached through their order, whose scope was checked.
pub(crate) async fn lock(conn: &mut PgConnection, id: ReservationId) -> Result<Option<Reservation>> {
    let row = sqlx::query!(
        "select company_id, order_id, warehouse_id, status, created_at, updated_at from reservations where id = $1 for no key update",
        id.uuid()
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(Reservation::from_state(ReservationState {
            id,
            company_id: CompanyId::from_uuid(row.company_id),
            order_id: OrderId::from_uuid(row.order_id),
            warehouse_id: WarehouseId::from_uuid(row.warehouse_id),
            status: parse(&row.status)?,
            created_at: row.created_at.to_jiff(),
            updated_at: row.updated_at.to_jiff(),
        }))
    })
    .transpose()
}

pub(crate) async fn insert(conn: &mut PgConnection, reservation: &Reservation) -> Result<()> {
    let state = reservation.state();
    sqlx::query!(
        "insert into reservations (id, company_id, order_id, warehouse_id, status, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7)",
        state.id.uuid(),
        state.company_id.uuid(),
        state.order_id.uuid(),
        state.warehouse_id.uuid(),
        state.status.as_str(),
        state.created_at.to_sqlx() as _,
        state.updated_at.to_sqlx() as _
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn save(conn: &mut PgConnection, reservation: &Reservation) -> Result<()> {
    let state = reservation.state();
    sqlx::query!(
        "update reservations set status = $2, updated_at = $3 where id = $1",
        state.id.uuid(),
        state.status.as_str(),
        state.updated_at.to_sqlx() as _
    )
    .execute(conn)
    .await?;
    Ok(())
}
