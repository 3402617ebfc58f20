//! Rows of transfers.

use jiff_sqlx::ToSqlx;
use quenty_kernel::{
    Scope,
    id::{CompanyId, TransferId, WarehouseId},
};
use quenty_platform::Result;
use sqlx::PgConnection;

use super::{parse, parse_some, unreadable};
use crate::domain::transfer::{Route, Transfer, TransferState};

pub(crate) async fn lock(conn: &mut PgConnection, scope: Scope, id: TransferId) -> Result<Option<Transfer>> {
    let row = sqlx::query!(
        "select company_id, from_warehouse_id, to_warehouse_id, status, reference, version, created_at, updated_at
         from transfers where id = $2 and ($1::uuid is null or company_id = $1) for no key update",
        scope.company_uuid(),
        id.uuid()
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let route = Route::new(
            WarehouseId::from_uuid(row.from_warehouse_id),
            WarehouseId::from_uuid(row.to_warehouse_id),
        );
        Ok(Transfer::from_state(TransferState {
            id,
            company_id: CompanyId::from_uuid(row.company_id),
            route: route.map_err(unreadable)?,
            status: parse(&row.status)?,
            reference: parse_some(row.reference)?,
            version: row.version,
            created_at: row.created_at.to_jiff(),
            updated_at: row.updated_at.to_jiff(),
        }))
    })
    .transpose()
}

pub(crate) async fn insert(conn: &mut PgConnection, transfer: &Transfer) -> Result<()> {
    let state = transfer.state();
    sqlx::query!(
        "insert into transfers (id, company_id, from_warehouse_id, to_warehouse_id, status, reference, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        state.id.uuid(),
        state.company_id.uuid(),
        state.route.from().uuid(),
        state.route.to().uuid(),
        state.status.as_str(),
        state.reference.as_ref().map(|text| text.as_str()),
        state.version,
        state.created_at.to_sqlx() as _,
        state.updated_at.to_sqlx() as _
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn save(conn: &mut PgConnection, transfer: &Transfer) -> Result<()> {
    let state = transfer.state();
    sqlx::query!(
        "update transfers set status = $2, version = $3, updated_at = $4 where id = $1",
        state.id.uuid(),
        state.status.as_str(),
        state.version,
        state.updated_at.to_sqlx() as _
    )
    .execute(conn)
    .await?;
    Ok(())
}
