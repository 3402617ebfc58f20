//! `/warehouses`: where a merchant's stock lies.

use axum::extract::State;
use quenty_kernel::{
    Page, Timestamp,
    address::Address,
    contact::{Phone, Text},
    id::{CompanyId, WarehouseId},
};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, IfMatch, Json, Path, Query, nullable},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CreateWarehouses, ReadWarehouses, UpdateWarehouses, wire::Paging};
use crate::{
    Error, commands,
    domain::warehouse::{Warehouse, WarehouseChanges, WarehouseDetails, WarehouseError},
    store,
};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateWarehouseIn {
    #[schema(example = "Bodega Fontibón")]
    name: Text<120>,
    /// With `location`, orders are served from the nearest warehouse that holds them.
    address: Address,
    contact_phone: Option<Phone>,
    /// The first warehouse of a company is its default in any case.
    #[serde(default)]
    is_default: bool,
}

/// What is absent stays as it is; `null` empties a field that may be empty.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateWarehouseIn {
    name: Option<Text<120>>,
    address: Option<Address>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Phone>)]
    contact_phone: Option<Option<Phone>>,
    /// `true` takes the role over from the default warehouse.
    is_default: Option<bool>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WarehouseOut {
    id: WarehouseId,
    company_id: CompanyId,
    name: Text<120>,
    address: Address,
    contact_phone: Option<Phone>,
    is_default: bool,
    version: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<&Warehouse> for WarehouseOut {
    fn from(warehouse: &Warehouse) -> Self {
        let (state, details) = (warehouse.state(), warehouse.details().clone());
        Self {
            id: state.id,
            company_id: state.company_id,
            name: details.name,
            address: details.address,
            contact_phone: details.contact_phone,
            is_default: details.is_default,
            version: state.version,
            created_at: state.created_at,
            updated_at: state.updated_at,
        }
    }
}

/// Add a warehouse.
#[utoipa::path(post, path = "/api/v1/warehouses", operation_id = "create_warehouse", tag = "warehouses", request_body = CreateWarehouseIn,
    security(("bearer" = ["warehouses:create"])),
    responses((status = 201, body = WarehouseOut), (status = 409, description = "`WAREHOUSE_NAME_TAKEN`, `DEFAULT_WAREHOUSE_MOVED`")))]
pub(super) async fn create_warehouse(
    State(app): State<App>,
    caller: Can<CreateWarehouses>,
    Json(input): Json<CreateWarehouseIn>,
) -> Result<Answer> {
    let CreateWarehouseIn { name, address, contact_phone, is_default } = input;
    let mut tx = app.begin(&caller).await?;
    let details = WarehouseDetails { name, address, contact_phone, is_default };
    let warehouse = commands::create_warehouse(&mut tx, caller.company()?, details).await?;
    let answer =
        Answer::created(format!("/api/v1/warehouses/{}", warehouse.id()), &WarehouseOut::from(&warehouse))?;
    tx.answer(answer.version(warehouse.version())).await
}

/// List the warehouses, newest first.
#[utoipa::path(get, path = "/api/v1/warehouses", operation_id = "list_warehouses", tag = "warehouses", params(Paging),
    security(("bearer" = ["warehouses:read"])), responses((status = 200, body = Page<WarehouseOut>)))]
pub(super) async fn list_warehouses(
    State(app): State<App>,
    caller: Can<ReadWarehouses>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<WarehouseOut>>> {
    let page = paging.into();
    let rows = store::warehouses::list(app.lists().await, caller.scope()?, &page).await?;
    Ok(Json(
        Page::from_rows(rows, &page, |warehouse| warehouse.id().uuid())
            .map(|warehouse| WarehouseOut::from(&warehouse)),
    ))
}

/// Read a warehouse.
#[utoipa::path(get, path = "/api/v1/warehouses/{id}", operation_id = "get_warehouse", tag = "warehouses", params(("id" = WarehouseId, Path)),
    security(("bearer" = ["warehouses:read"])), responses((status = 200, body = WarehouseOut)))]
pub(super) async fn get_warehouse(
    State(app): State<App>,
    caller: Can<ReadWarehouses>,
    Path(id): Path<WarehouseId>,
) -> Result<Answer> {
    let warehouse = store::warehouses::find(app.db(), caller.scope()?, id)
        .await?
        .ok_or(Error::Warehouse(WarehouseError::NotFound))?;
    Ok(Answer::ok(&WarehouseOut::from(&warehouse))?.version(warehouse.version()))
}

/// Change a warehouse.
#[utoipa::path(patch, path = "/api/v1/warehouses/{id}", operation_id = "update_warehouse", tag = "warehouses",
    params(("id" = WarehouseId, Path), ("If-Match" = Option<String>, Header)),
    request_body = UpdateWarehouseIn, security(("bearer" = ["warehouses:update"])),
    responses((status = 200, body = WarehouseOut), (status = 412, description = "`VERSION_MISMATCH`"),
        (status = 409, description = "`DEFAULT_WAREHOUSE_NEEDED`, `DEFAULT_WAREHOUSE_MOVED`, `WAREHOUSE_NAME_TAKEN`")))]
pub(super) async fn update_warehouse(
    State(app): State<App>,
    caller: Can<UpdateWarehouses>,
    Path(id): Path<WarehouseId>,
    seen: IfMatch,
    Json(input): Json<UpdateWarehouseIn>,
) -> Result<Answer> {
    let UpdateWarehouseIn { name, address, contact_phone, is_default } = input;
    let mut tx = app.begin(&caller).await?;
    let changes = WarehouseChanges { name, address, contact_phone, is_default };
    let warehouse = commands::update_warehouse(&mut tx, caller.scope()?, id, seen, changes).await?;
    tx.answer(Answer::ok(&WarehouseOut::from(&warehouse))?.version(warehouse.version())).await
}
