//! `/inventory/transfers`: goods on the way between two warehouses.

use axum::extract::State;
use quenty_contracts::order::StockQuantity;
use quenty_kernel::{
    Failure, Page, PageQuery, Timestamp,
    contact::Text,
    id::{CompanyId, ProductId, TransferId, WarehouseId},
    page::{Cursor, Limit},
};
use quenty_platform::{
    App, Error as PlatformError, Result,
    http::{Answer, Can, Json, Path, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{ReadInventory, TransferInventory, wire::Pieces};
use crate::{
    Error, commands,
    domain::{
        stock::{Link, Movement, StockError},
        transfer::{Route, Transfer, TransferError, TransferStatus},
    },
    store,
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
    /// Of the movements, those of its last step.
    fn of(transfer: &Transfer, movements: &[Movement]) -> Self {
        let state = transfer.state();
        let (link, kind) = (Link::Transfer(state.id), state.status.moved_by());
        let moved = movements.iter().filter(|movement| movement.kind == kind && movement.note.link == link);
        Self {
            id: state.id,
            company_id: state.company_id,
            from_warehouse_id: state.route.from(),
            to_warehouse_id: state.route.to(),
            status: state.status.as_str(),
            reference: state.reference.clone(),
            quantities: moved.map(Movement::stock_quantity).collect(),
            version: state.version,
            created_at: state.created_at,
            updated_at: state.updated_at,
        }
    }
}

/// What a list is narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TransferQuery {
    /// `in_transit` or `received`; both unless told.
    #[param(value_type = Option<String>)]
    status: Option<TransferStatus>,
    /// Items a page, 1 to 100.
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// List the transfers, newest first.
#[utoipa::path(get, path = "/api/v1/inventory/transfers", operation_id = "list_transfers", tag = "inventory", params(TransferQuery),
    security(("bearer" = ["inventory:read"])), responses((status = 200, body = Page<TransferOut>)))]
pub(super) async fn list_transfers(
    State(app): State<App>,
    caller: Can<ReadInventory>,
    Query(query): Query<TransferQuery>,
) -> Result<Json<Page<TransferOut>>> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let db = app.lists().await;
    let transfers = store::transfers::list(db, caller.scope()?, query.status, &page).await?;
    let page = Page::from_rows(transfers, &page, |transfer| transfer.id().uuid());
    let ids: Vec<_> = page.items.iter().map(Transfer::id).collect();
    let movements = store::movements::of_transfers(db, &ids).await?;
    Ok(Json(page.map(|transfer| TransferOut::of(&transfer, &movements))))
}

/// Read a transfer.
#[utoipa::path(get, path = "/api/v1/inventory/transfers/{id}", operation_id = "get_transfer", tag = "inventory", params(("id" = TransferId, Path)),
    security(("bearer" = ["inventory:read"])), responses((status = 200, body = TransferOut)))]
pub(super) async fn get_transfer(
    State(app): State<App>,
    caller: Can<ReadInventory>,
    Path(id): Path<TransferId>,
) -> Result<Answer> {
    let transfer = store::transfers::find(app.db(), caller.scope()?, id)
        .await?
        .ok_or(Error::Transfer(TransferError::NotFound))?;
    let movements = store::movements::of_transfers(app.db(), &[id]).await?;
    Ok(Answer::ok(&TransferOut::of(&transfer, &movements))?.version(transfer.version()))
}

/// Send goods to another warehouse; until they are received there they are in none.
#[utoipa::path(post, path = "/api/v1/inventory/transfers", operation_id = "transfer_stock", tag = "inventory", request_body = TransferStockIn,
    security(("bearer" = ["inventory:transfer"])),
    responses((status = 201, body = TransferOut), (status = 409, description = "`INSUFFICIENT_STOCK`: what is reserved cannot be sent away; `BATCH_EXPIRY_DIFFERS`")))]
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
        commands::transfer_stock(&mut tx, caller.company()?, route, &lines, input.reference)
            .await
            .map_err(|error| at_its_field(error, route, &lines))?;
    let location = format!("/api/v1/inventory/transfers/{}", transfer.id());
    tx.answer(Answer::created(location, &TransferOut::of(&transfer, &movements))?.version(transfer.version()))
        .await
}

/// What the company does not have is told of the field that names it.
fn at_its_field(error: Error, route: Route, lines: &[(ProductId, u32)]) -> PlatformError {
    let pointer = match &error {
        Error::Stock(StockError::UnknownWarehouse(id)) if *id == route.from() => {
            "/from_warehouse_id".to_owned()
        }
        Error::Stock(StockError::UnknownWarehouse(_)) => "/to_warehouse_id".to_owned(),
        Error::Stock(StockError::UnknownProduct(id)) => {
            let line = lines.iter().position(|(product, _)| product == id).unwrap_or_default();
            format!("/lines/{line}/product_id")
        }
        _ => return error.into(),
    };
    let mut failure = PlatformError::from(error).to_failure();
    failure.errors.iter_mut().for_each(|field| field.pointer.clone_from(&pointer));
    failure.into()
}

/// Receive a transfer: the goods are in stock again, in the same batches.
#[utoipa::path(post, path = "/api/v1/inventory/transfers/{id}/receive", operation_id = "receive_transfer", tag = "inventory",
    params(("id" = TransferId, Path)), security(("bearer" = ["inventory:transfer"])),
    responses((status = 200, body = TransferOut), (status = 409, description = "`TRANSFER_ALREADY_RECEIVED`")))]
pub(super) async fn receive_transfer(
    State(app): State<App>,
    caller: Can<TransferInventory>,
    Path(id): Path<TransferId>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let (transfer, movements) = commands::receive_transfer(&mut tx, caller.scope()?, id).await?;
    tx.answer(Answer::ok(&TransferOut::of(&transfer, &movements))?.version(transfer.version())).await
}
