//! `/inventory`: how much lies where.

use axum::extract::State;
use quenty_kernel::{
    Page, PageQuery,
    id::{ProductId, WarehouseId},
    page::{Cursor, Limit},
};
use quenty_platform::{
    App, Result,
    http::{Can, Json, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{ReadInventory, wire::BatchWire};
use crate::{
    store,
    store::stock::{InventoryFilter, InventoryRow},
};

/// A product in a warehouse, by batch if it has batches.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InventoryOut {
    product_id: ProductId,
    sku: String,
    product: String,
    warehouse_id: WarehouseId,
    warehouse: String,
    batch: Option<BatchWire>,
    on_hand: i64,
    reserved: i64,
    /// `on_hand` − `reserved`.
    available: i64,
    /// Whether the product's alarm is on, over all its warehouses.
    low_stock: bool,
}

impl From<InventoryRow> for InventoryOut {
    fn from(row: InventoryRow) -> Self {
        let place = &row.item.place;
        Self {
            product_id: place.product_id,
            warehouse_id: place.warehouse_id,
            batch: place.batch.as_ref().map(BatchWire::from),
            on_hand: row.item.on_hand,
            reserved: row.item.reserved,
            available: row.item.available(),
            sku: row.sku,
            product: row.product,
            warehouse: row.warehouse,
            low_stock: row.low_stock,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct InventoryQuery {
    #[param(value_type = Option<ProductId>)]
    product: Option<ProductId>,
    #[param(value_type = Option<WarehouseId>)]
    warehouse: Option<WarehouseId>,
    /// Only products whose alarm is on (or off).
    low_stock: Option<bool>,
    /// Items a page, 1 to 100.
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// List the stock, place by place.
#[utoipa::path(get, path = "/api/v1/inventory", operation_id = "list_inventory", tag = "inventory", params(InventoryQuery),
    security(("bearer" = ["inventory:read"])), responses((status = 200, body = Page<InventoryOut>)))]
pub(super) async fn list_inventory(
    State(app): State<App>,
    caller: Can<ReadInventory>,
    Query(query): Query<InventoryQuery>,
) -> Result<Json<Page<InventoryOut>>> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let filter =
        InventoryFilter { product: query.product, warehouse: query.warehouse, low_stock: query.low_stock };
    let rows = store::stock::list(app.lists().await, caller.scope()?, filter, &page).await?;
    Ok(Json(Page::from_rows(rows, &page, |row| row.item.id).map(InventoryOut::from)))
}
