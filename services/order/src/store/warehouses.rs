//! Rows of warehouses.

use std::collections::BTreeSet;

use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use quenty_kernel::{
    PageQuery, Scope,
    id::{CompanyId, WarehouseId},
};
use quenty_platform::Result;
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::{document, parse, parse_some};
use crate::domain::warehouse::{Warehouse, WarehouseDetails, WarehouseState};

struct Row {
    id: Uuid,
    company_id: Uuid,
    name: String,
    address: Value,
    contact_phone: Option<String>,
    is_default: bool,
    version: i64,
    created_at: SqlTimestamp,
    updated_at: SqlTimestamp,
}

impl Row {
    fn warehouse(self) -> Result<Warehouse> {
        Ok(Warehouse::from_state(WarehouseState {
            id: WarehouseId::from_uuid(self.id),
            company_id: CompanyId::from_uuid(self.company_id),
            details: details(self.name, self.address, self.contact_phone, self.is_default)?,
            version: self.version,
            created_at: self.created_at.to_jiff(),
            updated_at: self.updated_at.to_jiff(),
        }))
    }
}

pub(super) fn details(
    name: String,
    address: Value,
    contact_phone: Option<String>,
    is_default: bool,
) -> Result<WarehouseDetails> {
    Ok(WarehouseDetails {
        name: parse(&name)?,
        address: document(address)?,
        contact_phone: parse_some(contact_phone)?,
        is_default,
    })
}

pub(crate) async fn find(
    db: impl PgExecutor<'_>,
    scope: Scope,
    id: WarehouseId,
) -> Result<Option<Warehouse>> {
    let row = sqlx::query_as!(
        Row,
        "select id, company_id, name, address, contact_phone, is_default, version, created_at, updated_at
         from warehouses where id = $2 and ($1::uuid is null or company_id = $1)",
        scope.company_uuid(),
        id.uuid()
    )
    .fetch_optional(db)
    .await?;
    row.map(Row::warehouse).transpose()
}

/// The company's default warehouse; none before its first one.
pub(crate) async fn default_of(db: impl PgExecutor<'_>, company: CompanyId) -> Result<Option<Warehouse>> {
    let row = sqlx::query_as!(
        Row,
        "select id, company_id, name, address, contact_phone, is_default, version, created_at, updated_at
         from warehouses where company_id = $1 and is_default",
        company.uuid()
    )
    .fetch_optional(db)
    .await?;
    row.map(Row::warehouse).transpose()
}

/// Locks a warehouse and its company's default one, in the order of the ids.
pub(crate) async fn lock_with_default(
    conn: &mut PgConnection,
    company: CompanyId,
    id: Option<WarehouseId>,
) -> Result<Vec<Warehouse>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, company_id, name, address, contact_phone, is_default, version, created_at, updated_at
         from warehouses where company_id = $1 and (is_default or id = $2) order by id for no key update",
        company.uuid(),
        id.map(WarehouseId::uuid)
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::warehouse).collect()
}

/// Those of the ids that are the company's.
pub(crate) async fn known(
    db: impl PgExecutor<'_>,
    company: CompanyId,
    ids: &BTreeSet<WarehouseId>,
) -> Result<BTreeSet<WarehouseId>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query_scalar!(
        "select id from warehouses where company_id = $1 and id = any($2)",
        company.uuid(),
        &ids
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(WarehouseId::from_uuid).collect())
}

pub(crate) async fn list(db: impl PgExecutor<'_>, scope: Scope, page: &PageQuery) -> Result<Vec<Warehouse>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, company_id, name, address, contact_phone, is_default, version, created_at, updated_at
         from warehouses where ($1::uuid is null or company_id = $1) and ($2::uuid is null or id < $2)
         order by id desc limit $3",
        scope.company_uuid(),
        page.before(),
        page.fetch()
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::warehouse).collect()
}

pub(crate) async fn insert(conn: &mut PgConnection, warehouse: &Warehouse) -> Result<()> {
    let (state, details) = (warehouse.state(), warehouse.details());
    sqlx::query!(
        "insert into warehouses (id, company_id, name, address, contact_phone, is_default, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        state.id.uuid(),
        state.company_id.uuid(),
        details.name.as_str(),
        serde_json::to_value(&details.address)?,
        details.contact_phone.as_ref().map(|phone| phone.as_str()),
        details.is_default,
        state.version,
        state.created_at.to_sqlx() as _,
        state.updated_at.to_sqlx() as _
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn save(conn: &mut PgConnection, warehouse: &Warehouse) -> Result<()> {
    let (state, details) = (warehouse.state(), warehouse.details());
    sqlx::query!(
        "update warehouses set name = $2, address = $3, contact_phone = $4, is_default = $5, version = $6, updated_at = $7 where id = $1",
        state.id.uuid(),
        details.name.as_str(),
        serde_json::to_value(&details.address)?,
        details.contact_phone.as_ref().map(|phone| phone.as_str()),
        details.is_default,
        state.version,
        state.updated_at.to_sqlx() as _
    )
    .execute(conn)
    .await?;
    Ok(())
}
