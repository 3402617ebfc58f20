//! `/inventory/movements`: the ledger of the stock.

use axum::extract::State;
use quenty_kernel::{
    Page, PageQuery, Timestamp,
    contact::Text,
    id::{MovementId, ProductId, ReservationId, TransferId, WarehouseId},
    money::Money,
    page::{Cursor, Limit},
};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, Json, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{MoveInventory, ReadInventory, wire::BatchWire};
use crate::{
    commands,
    domain::stock::{Link, ManualKind, ManualMovement, Movement, MovementKind, Note, Place},
    store,
    store::movements::{LedgerRow, MovementFilter},
};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordMovementIn {
    kind: ManualKind,
    product_id: ProductId,
    warehouse_id: WarehouseId,
    batch: Option<BatchWire>,
    /// Pieces; negative only for an adjustment that finds fewer than the ledger says.
    #[schema(minimum = -1_000_000_000, maximum = 1_000_000_000, example = 25)]
    quantity: i64,
    /// What one piece cost; receipts only.
    unit_cost: Option<Money>,
    /// Of a paper or a record outside.
    #[schema(example = "Remisión 1042")]
    reference: Option<Text<120>>,
    /// Needed by all but receipts.
    reason: Option<Text<300>>,
}

impl From<RecordMovementIn> for ManualMovement {
    fn from(input: RecordMovementIn) -> Self {
        let RecordMovementIn {
            kind,
            product_id,
            warehouse_id,
            batch,
            quantity,
            unit_cost,
            reference,
            reason,
        } = input;
        Self {
            kind,
            place: Place { product_id, warehouse_id, batch: batch.map(Into::into) },
            quantity,
            note: Note { link: Link::Nothing, reference, reason: reason.map(String::from), unit_cost },
        }
    }
}

/// One row of the ledger.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MovementOut {
    id: MovementId,
    product_id: ProductId,
    warehouse_id: WarehouseId,
    batch: Option<BatchWire>,
    kind: MovementKind,
    on_hand_delta: i64,
    reserved_delta: i64,
    reservation_id: Option<ReservationId>,
    transfer_id: Option<TransferId>,
    reference: Option<Text<120>>,
    reason: Option<String>,
    unit_cost: Option<Money>,
    /// `user:<id>`, `service:<name>` or `system`.
    actor: String,
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Timestamp,
}

impl MovementOut {
    fn of(movement: &Movement, actor: String, occurred_at: Timestamp) -> Self {
        let (reservation_id, transfer_id) = match movement.note.link {
            Link::Nothing => (None, None),
            Link::Reservation(id) => (Some(id), None),
            Link::Transfer(id) => (None, Some(id)),
        };
        Self {
            id: movement.id,
            product_id: movement.place.product_id,
            warehouse_id: movement.place.warehouse_id,
            batch: movement.place.batch.as_ref().map(BatchWire::from),
            kind: movement.kind,
            on_hand_delta: movement.on_hand_delta,
            reserved_delta: movement.reserved_delta,
            reservation_id,
            transfer_id,
            reference: movement.note.reference.clone(),
            reason: movement.note.reason.clone(),
            unit_cost: movement.note.unit_cost,
            actor,
            occurred_at,
        }
    }
}

impl From<LedgerRow> for MovementOut {
    fn from(row: LedgerRow) -> Self {
        Self::of(&row.movement, row.actor, row.occurred_at)
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct MovementQuery {
    #[param(value_type = Option<ProductId>)]
    product: Option<ProductId>,
    #[param(value_type = Option<WarehouseId>)]
    warehouse: Option<WarehouseId>,
    #[param(value_type = Option<MovementKind>)]
    kind: Option<MovementKind>,
    /// Items a page, 1 to 100.
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// List the movements of the stock, newest first.
#[utoipa::path(get, path = "/api/v1/inventory/movements", operation_id = "list_movements", tag = "inventory", params(MovementQuery),
    security(("bearer" = ["inventory:read"])), responses((status = 200, body = Page<MovementOut>)))]
pub(super) async fn list_movements(
    State(app): State<App>,
    caller: Can<ReadInventory>,
    Query(query): Query<MovementQuery>,
) -> Result<Json<Page<MovementOut>>> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let filter = MovementFilter { product: query.product, warehouse: query.warehouse, kind: query.kind };
    let rows = store::movements::list(app.lists().await, caller.scope()?, filter, &page).await?;
    Ok(Json(Page::from_rows(rows, &page, |row| row.movement.id.uuid()).map(MovementOut::from)))
}

/// Record a receipt, an adjustment, a write-off or an issue by hand.
#[utoipa::path(post, path = "/api/v1/inventory/movements", operation_id = "record_movement", tag = "inventory", request_body = RecordMovementIn,
    security(("bearer" = ["inventory:move"])),
    responses((status = 201, body = MovementOut), (status = 409, description = "`INSUFFICIENT_STOCK`: what is reserved cannot be taken, and goods in batches are taken from one that is named; `BATCH_EXPIRY_DIFFERS`")))]
pub(super) async fn record_movement(
    State(app): State<App>,
    caller: Can<MoveInventory>,
    Json(input): Json<RecordMovementIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let movement = commands::record_movement(&mut tx, caller.scope()?, &input.into()).await?;
    let out = MovementOut::of(&movement, tx.actor().to_string(), tx.now());
    tx.answer(Answer::created("/api/v1/inventory/movements", &out)?).await
}
