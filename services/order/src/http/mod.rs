//! The route table. Handlers read through the store and write through commands; no rule lives here.

mod inventory;
mod movements;
mod products;
mod transfers;
mod warehouses;
mod wire;

use quenty_platform::{App, permissions};
use utoipa_axum::{router::OpenApiRouter, routes};

permissions! {
    ReadProducts = "products:read";
    CreateProducts = "products:create";
    UpdateProducts = "products:update";
    ArchiveProducts = "products:archive";
    ReadWarehouses = "warehouses:read";
    CreateWarehouses = "warehouses:create";
    UpdateWarehouses = "warehouses:update";
    ReadInventory = "inventory:read";
    MoveInventory = "inventory:move";
    TransferInventory = "inventory:transfer";
}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(products::list_products, products::create_product))
        .routes(routes!(products::list_low_stock))
        .routes(routes!(products::get_product, products::update_product, products::archive_product))
        .routes(routes!(warehouses::list_warehouses, warehouses::create_warehouse))
        .routes(routes!(warehouses::get_warehouse, warehouses::update_warehouse))
        .routes(routes!(inventory::list_inventory))
        .routes(routes!(movements::list_movements, movements::record_movement))
        .routes(routes!(transfers::transfer_stock))
        .routes(routes!(transfers::receive_transfer))
}
