//! What happened to an order, and what it waits for.

use axum::{extract::State, response::IntoResponse};
use jiff::Timestamp;
use quenty_kernel::{Page, PageQuery, id::OrderId};
use quenty_platform::{
    App, Result,
    http::{Can, Json, Path, Query},
    journal::{self, Entry},
    live::{self, ResumeAfter, StreamedEvent},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ReadOrders, order_wire::FulfilmentOut, orders::find, wire::Paging};
use crate::store::{self, timeline::TimelineRow};

/// The facts of an order, as the journal keeps them, the earliest first.
#[utoipa::path(get, path = "/api/v1/orders/{id}/events", operation_id = "list_order_events", tag = "orders",
    params(("id" = OrderId, Path), Paging), security(("bearer" = ["orders:read"])), responses((status = 200, body = Page<Entry>)))]
pub(super) async fn list_order_events(
    State(app): State<App>,
    caller: Can<ReadOrders>,
    Path(id): Path<OrderId>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Entry>>> {
    let scope = caller.scope()?;
    let page = journal::page(app.db(), scope, &id.to_string(), &paging.into()).await?;
    if page.items.is_empty() {
        find(&app, scope, id).await?;
    }
    Ok(Json(page))
}

/// One line that a person reads.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TimelineEntryOut {
    at: Timestamp,
    /// `order`, `pickup`, `shipping` or `returns`.
    source: String,
    #[schema(example = "out_for_delivery")]
    code: String,
    #[schema(example = "Out for delivery, attempt 1")]
    text: String,
    place: Option<String>,
    #[schema(example = "service:shipping")]
    actor: String,
}

impl From<TimelineRow> for TimelineEntryOut {
    fn from(row: TimelineRow) -> Self {
        Self {
            at: row.at,
            source: row.source,
            code: row.code,
            text: row.text,
            place: row.place,
            actor: row.actor,
        }
    }
}

/// What order, pickup, shipment and returns told, in one list, the earliest first.
#[utoipa::path(get, path = "/api/v1/orders/{id}/timeline", operation_id = "get_order_timeline", tag = "orders",
    params(("id" = OrderId, Path), Paging), security(("bearer" = ["orders:read"])), responses((status = 200, body = Page<TimelineEntryOut>)))]
pub(super) async fn get_order_timeline(
    State(app): State<App>,
    caller: Can<ReadOrders>,
    Path(id): Path<OrderId>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<TimelineEntryOut>>> {
    let (scope, page) = (caller.scope()?, PageQuery::from(paging));
    let rows = store::timeline::list(app.db(), scope, id, &page).await?;
    if rows.is_empty() {
        find(&app, scope, id).await?;
    }
    Ok(Json(Page::from_rows(rows, &page, |row| row.id).map(TimelineEntryOut::from)))
}

/// What the fulfilment of an order waits for, since which attempt and until when.
#[utoipa::path(get, path = "/api/v1/orders/{id}/fulfilment", operation_id = "get_order_fulfilment", tag = "orders",
    params(("id" = OrderId, Path)), security(("bearer" = ["orders:read"])), responses((status = 200, body = FulfilmentOut)))]
pub(super) async fn get_order_fulfilment(
    State(app): State<App>,
    caller: Can<ReadOrders>,
    Path(id): Path<OrderId>,
) -> Result<Json<FulfilmentOut>> {
    let order = find(&app, caller.scope()?, id).await?;
    Ok(Json(FulfilmentOut::from(&*order)))
}

/// Follow the company's orders live, as server-sent events; `Last-Event-ID` resumes.
#[utoipa::path(get, path = "/api/v1/orders/stream", operation_id = "stream_orders", tag = "orders",
    security(("bearer" = ["orders:read"])), responses((status = 200, description = "Facts of orders, until the token ends, or for an hour.", content_type = "text/event-stream", body = StreamedEvent),
        (status = 429, description = "`TOO_MANY_STREAMS`: close one, or try again after `Retry-After`")))]
pub(super) async fn stream_orders(
    State(app): State<App>,
    caller: Can<ReadOrders>,
    resume: ResumeAfter,
) -> Result<impl IntoResponse> {
    live::facts(app, caller, "ORD", None, resume).await
}
