//! Rows of transfers.

use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use quenty_kernel::{
    PageQuery, Scope,
    id::{CompanyId, TransferId, WarehouseId},
};
use quenty_platform::Result;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::{parse, parse_some, unreadable};
use crate::domain::transfer::{Route, Transfer, TransferState, TransferStatus};

struct Row {
    id: Uuid,
    company_id: Uuid,
    from_warehouse_id: Uuid,
    to_warehouse_id: Uuid,
    status: String,
    reference: Option<String>,
    version: i64,
    created_at: SqlTimestamp,
    updated_at: SqlTimestamp,
}

macro_rules! select_transfers {
    ($rest:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            Row,
            "select id, company_id, from_warehouse_id, to_warehouse_id, status, reference, version, created_at, updated_at from transfers " + $rest
            $(, $argument)*
        )
    };
}

impl Row {
    fn transfer(self) -> Result<Transfer> {
        let route = Route::new(
            WarehouseId::from_uuid(self.from_warehouse_id),
            WarehouseId::from_uuid(self.to_warehouse_id),
        );
        Ok(Transfer::from_state(TransferState {
            id: TransferId::from_uuid(self.id),
            company_id: CompanyId::from_uuid(self.company_id),
            route: route.map_err(unreadable)?,
            status: parse(&self.status)?,
            reference: parse_some(self.reference)?,
            version: self.version,
            created_at: self.created_at.to_jiff(),
            updated_at: self.updated_at.to_jiff(),
        }))
    }
}

pub(crate) async fn lock(conn: &mut PgConnection, scope: Scope, id: TransferId) -> Result<Option<Transfer>> {
    let row = select_transfers!(
        "where id = $2 and ($1::uuid is null or company_id = $1) for no key update",
        scope.company_uuid(),
        id.uuid()
    )
    .fetch_optional(conn)
    .await?;
    row.map(Row::transfer).transpose()
}

pub(crate) async fn find(db: impl PgExecutor<'_>, scope: Scope, id: TransferId) -> Result<Option<Transfer>> {
    let row = select_transfers!(
        "where id = $2 and ($1::uuid is null or company_id = $1)",
        scope.company_uuid(),
        id.uuid()
    )
    .fetch_optional(db)
    .await?;
    row.map(Row::transfer).transpose()
}

pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    scope: Scope,
    status: Option<TransferStatus>,
    page: &PageQuery,
) -> Result<Vec<Transfer>> {
    let rows = select_transfers!(
        "where ($1::uuid is null or company_id = $1) and ($2::text is null or status = $2) and ($3::uuid is null or id < $3)
         order by id desc limit $4",
        scope.company_uuid(),
        status.map(TransferStatus::as_str),
        page.before(),
        page.fetch()
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::transfer).collect()
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
