//! `/inventory/transfers`: goods on the way between two warehouses.

use axum::extract::State;
use quenty_contracts::order::StockQuantity;
use quenty_kernel::{
    Failure, Timestamp,
    contact::Text,
    id::{CompanyId, ProductId, TransferId, WarehouseId},
};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, Json, Path},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{TransferInventory, wire::Pieces};
use crate::{
    Error, commands,
    domain::{
        stock::Movement,
        transfer::{Route, Transfer},
    },
};

const MAX_LINES: usize = 200;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TransferStockIn {
    from_warehouse_id: WarehouseId,
    to_warehouse_id: WarehouseId,
    #[schema(min_items = 1, max_items = 200)]
    lines: Vec<TransferLineIn>,
    /// Of a paper or a record outside.
    reference: Option<Text<120>>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TransferLineIn {
    product_id: ProductId,
    /// Taken from the batches that expire first.
    quantity: Pieces,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TransferOut {
    id: TransferId,
    company_id: CompanyId,
    from_warehouse_id: WarehouseId,
    to_warehouse_id: WarehouseId,
    /// `in_transit` or `received`.
    #[schema(example = "in_transit")]
    status: &'static str,
    reference: Option<Text<120>>,
    /// Where each piece was taken from, or put to once it is received.
    quantities: Vec<StockQuantity>,
    version: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl TransferOut {
    fn of(transfer: &Transfer, movements: &[Movement]) -> Self {
        let state = transfer.state();
        Self {
            id: state.id,
            company_id: state.company_id,
            from_warehouse_id: state.route.from(),
            to_warehouse_id: state.route.to(),
            status: state.status.as_str(),
            reference: state.reference.clone(),
            quantities: movements.iter().map(Movement::stock_quantity).collect(),
            version: state.version,
            created_at: state.created_at,
            updated_at: state.updated_at,
        }
    }
}

/// Send goods to another warehouse; until they are received there they are in none.
#[utoipa::path(post, path = "/api/v1/inventory/transfers", operation_id = "transfer_stock", tag = "inventory", request_body = TransferStockIn,
    security(("bearer" = ["inventory:transfer"])),
    responses((status = 201, body = TransferOut), (status = 409, description = "`INSUFFICIENT_STOCK`: what is reserved cannot be sent away")))]
pub(super) async fn transfer_stock(
    State(app): State<App>,
    caller: Can<TransferInventory>,
    Json(input): Json<TransferStockIn>,
) -> Result<Answer> {
    if !(1..=MAX_LINES).contains(&input.lines.len()) {
        return Err(
            Failure::invalid("INVALID_LINES", "/lines", format!("send 1 to {MAX_LINES} lines")).into()
        );
    }
    let route = Route::new(input.from_warehouse_id, input.to_warehouse_id).map_err(Error::from)?;
    let lines: Vec<_> = input.lines.iter().map(|line| (line.product_id, line.quantity.into())).collect();
    let mut tx = app.begin(&caller).await?;
    let (transfer, movements) =
        commands::transfer_stock(&mut tx, caller.company()?, route, &lines, input.reference).await?;
    let location = format!("/api/v1/inventory/transfers/{}", transfer.id());
    tx.answer(Answer::created(location, &TransferOut::of(&transfer, &movements))?.version(transfer.version()))
        .await
}

/// Receive a transfer: the goods are in stock again, in the same batches.
#[utoipa::path(post, path = "/api/v1/inventory/transfers/{id}/receive", operation_id = "receive_transfer", tag = "inventory",
    params(("id" = TransferId, Path)), security(("bearer" = ["inventory:transfer"])),
    responses((status = 200, body = TransferOut), (status = 409, description = "`TRANSFER_ALREADY_RECEIVED`, `BATCH_EXPIRY_DIFFERS`")))]
pub(super) async fn receive_transfer(
    State(app): State<App>,
    caller: Can<TransferInventory>,
    Path(id): Path<TransferId>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let (transfer, movements) = commands::receive_transfer(&mut tx, caller.scope()?, id).await?;
    tx.answer(Answer::ok(&TransferOut::of(&transfer, &movements))?.version(transfer.version())).await
}
