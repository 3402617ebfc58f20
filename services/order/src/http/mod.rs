//! The route table. Handlers read through the store and write through commands; no rule lives here.

mod imports;
mod internal;
mod inventory;
mod movements;
mod order_actions;
mod order_history;
mod order_wire;
mod orders;
mod products;
mod standing;
mod transfers;
mod warehouses;
mod wire;

use quenty_platform::{App, permissions, routes};
pub(crate) use standing::known_standing;
use utoipa_axum::router::OpenApiRouter;

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
    ReadOrders = "orders:read", personal;
    QuoteOrders = "orders:quote";
    PlaceOrders = "orders:create";
    UpdateOrders = "orders:update", personal;
    PayOrders = "orders:pay";
    RefundOrders = "orders:refund";
    HoldOrders = "orders:hold";
    ReleaseOrders = "orders:release";
    CancelOrders = "orders:cancel", personal;
    RetryOrders = "orders:retry";
    SetOrderStatus = "orders:set_status";
    ImportOrders = "orders:import", personal;
    PlaceExchanges = "internal.exchanges:write";
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
        .routes(routes!(transfers::list_transfers, transfers::transfer_stock))
        .routes(routes!(transfers::get_transfer))
        .routes(routes!(transfers::receive_transfer))
        .routes(routes!(orders::list_orders, orders::place_order))
        .routes(routes!(orders::quote_order))
        .routes(routes!(imports::import_orders))
        .routes(routes!(imports::get_import))
        .routes(routes!(imports::list_import_errors))
        .routes(routes!(order_history::stream_orders))
        .routes(routes!(orders::get_order_by_reference))
        .routes(routes!(orders::get_order, orders::update_order))
        .routes(routes!(order_actions::pay_order))
        .routes(routes!(order_actions::refund_order))
        .routes(routes!(order_actions::hold_order))
        .routes(routes!(order_actions::release_order))
        .routes(routes!(order_actions::cancel_order))
        .routes(routes!(order_actions::retry_order))
        .routes(routes!(order_actions::set_order_status))
        .routes(routes!(order_history::list_order_events))
        .routes(routes!(order_history::get_order_timeline))
        .routes(routes!(order_history::get_order_fulfilment))
        .routes(routes!(internal::place_exchange))
}
