//! Placing, finding and changing orders.

use axum::extract::State;
use jiff::Timestamp;
use quenty_kernel::{
    Failure, Page, PageQuery, Scope,
    contact::Text,
    id::{CompanyId, CustomerId, OrderId},
    money::Money,
    page::{Cursor, Limit},
};
use quenty_platform::{
    App, Error as PlatformError, Result,
    http::{Answer, Can, IfMatch, Json, Path, Query, nullable},
    journal,
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    PlaceOrders, QuoteOrders, ReadOrders, UpdateOrders,
    order_wire::{ConsigneeIn, OrderLineIn, OrderOut, PickupIn, PlaceOrderIn, QuoteOut, lines},
    standing::{ensure_customer, known_standing},
};
use crate::{
    Error,
    commands::{self, NewOrder, OrderUpdate},
    domain::order::{Order, OrderError, OrderFact, OrderKind, OrderState, PaymentStatus, Status},
    store::{self, orders::OrderFilter},
};

/// Place an order.
///
/// Prices are the catalogue's unless a line gives one, totals are recomputed, and the stock of the whole
/// order is set aside in one warehouse.
#[utoipa::path(post, path = "/api/v1/orders", operation_id = "place_order", tag = "orders",
    request_body = PlaceOrderIn, security(("bearer" = ["orders:create"])),
    responses(
        (status = 201, body = OrderOut),
        (status = 409, description = "`INSUFFICIENT_STOCK`, `REFERENCE_TAKEN`, `COMPANY_NOT_ACTIVE`, `KYC_REQUIRED`, `CUSTOMER_BLOCKED`, `CREDIT_NOT_AVAILABLE`, `NO_WAREHOUSE`"),
        (status = 422, description = "`TOTAL_MISMATCH`, `UNKNOWN_PRODUCT`, `CURRENCY_MISMATCH`, `DISCOUNT_TOO_LARGE`, …")))]
pub(super) async fn place_order(
    State(app): State<App>,
    caller: Can<PlaceOrders>,
    Json(input): Json<PlaceOrderIn>,
) -> Result<Answer> {
    let new = new_order(&app, caller.company()?, input).await?;
    let mut tx = app.begin(&caller).await?;
    let order = commands::place_order(&mut tx, new).await?.order;
    let location = format!("/api/v1/orders/{}", order.id);
    tx.answer(Answer::created(location, &OrderOut::from(&*order))?.version(order.version)).await
}

/// What an order would cost, and from where it would come.
///
/// Exactly what placing it now would do, with the same refusals, but nothing is kept.
#[utoipa::path(post, path = "/api/v1/orders/quote", operation_id = "quote_order", tag = "orders",
    request_body = PlaceOrderIn, security(("bearer" = ["orders:quote"])),
    responses((status = 200, body = QuoteOut), (status = 409, description = "As for placing."), (status = 422, description = "As for placing.")))]
pub(super) async fn quote_order(
    State(app): State<App>,
    caller: Can<QuoteOrders>,
    Json(input): Json<PlaceOrderIn>,
) -> Result<Json<QuoteOut>> {
    let new = new_order(&app, caller.company()?, input).await?;
    let mut db = app.db().acquire().await?;
    let quoted = commands::quote_order(&mut db, new, app.clock().now()).await?;
    Ok(Json(QuoteOut::from(&quoted.order)))
}

/// With what Customer knows about it: asking is no part of the transaction.
async fn new_order(app: &App, company: CompanyId, input: PlaceOrderIn) -> Result<NewOrder> {
    let standing = known_standing(app, company).await?;
    if let Some(customer) = input.customer_id {
        ensure_customer(app, company, customer).await?;
    }
    Ok(input.order(company, standing)?)
}

/// What a list is narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OrdersQuery {
    status: Option<Status>,
    external_reference: Option<String>,
    customer_id: Option<CustomerId>,
    kind: Option<OrderKind>,
    payment_status: Option<PaymentStatus>,
    on_hold: Option<bool>,
    /// Placed at or after.
    created_from: Option<Timestamp>,
    /// Placed before.
    created_to: Option<Timestamp>,
    /// Items a page, 1 to 100.
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// List orders, newest first.
#[utoipa::path(get, path = "/api/v1/orders", operation_id = "list_orders", tag = "orders",
    params(OrdersQuery), security(("bearer" = ["orders:read"])), responses((status = 200, body = Page<OrderOut>)))]
pub(super) async fn list_orders(
    State(app): State<App>,
    caller: Can<ReadOrders>,
    Query(query): Query<OrdersQuery>,
) -> Result<Json<Page<OrderOut>>> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let filter = OrderFilter {
        status: query.status,
        external_reference: query.external_reference,
        customer_id: query.customer_id,
        kind: query.kind,
        payment_status: query.payment_status,
        on_hold: query.on_hold,
        created_from: query.created_from,
        created_to: query.created_to,
    };
    let rows = store::orders::list(app.lists().await, caller.scope()?, filter, &page).await?;
    Ok(Json(Page::from_rows(rows, &page, |order| order.id.uuid()).map(|order| OrderOut::from(&*order))))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AsOf {
    /// The order as it was at that moment.
    as_of: Option<Timestamp>,
}

/// Get an order, as it is or as it was.
#[utoipa::path(get, path = "/api/v1/orders/{id}", operation_id = "get_order", tag = "orders",
    params(("id" = OrderId, Path), AsOf), security(("bearer" = ["orders:read"])), responses((status = 200, body = OrderOut)))]
pub(super) async fn get_order(
    State(app): State<App>,
    caller: Can<ReadOrders>,
    Path(id): Path<OrderId>,
    Query(query): Query<AsOf>,
) -> Result<Answer> {
    let scope = caller.scope()?;
    if query.as_of.is_some() {
        let state = past(&app, scope, id, query.as_of).await?;
        return Answer::ok(&OrderOut::from(&state));
    }
    let order = find(&app, scope, id).await?;
    Ok(Answer::ok(&OrderOut::from(&*order))?.version(order.version))
}

/// Folds what had happened until then.
async fn past(app: &App, scope: Scope, id: OrderId, as_of: Option<Timestamp>) -> Result<OrderState> {
    let facts = journal::facts::<OrderFact>(app.db(), scope, &id.to_string(), as_of).await?;
    let state = OrderState::fold(facts).map_err(PlatformError::internal)?;
    state.ok_or_else(|| Error::from(OrderError::NotFound).into())
}

pub(super) async fn find(app: &App, scope: Scope, id: OrderId) -> Result<Order> {
    store::orders::find(app.db(), scope, id).await?.ok_or_else(|| Error::from(OrderError::NotFound).into())
}

/// Get an order by the merchant's own reference.
#[utoipa::path(get, path = "/api/v1/orders/by-reference/{reference}", operation_id = "get_order_by_reference", tag = "orders",
    params(("reference" = String, Path)), security(("bearer" = ["orders:read"])), responses((status = 200, body = OrderOut)))]
pub(super) async fn get_order_by_reference(
    State(app): State<App>,
    caller: Can<ReadOrders>,
    Path(reference): Path<String>,
) -> Result<Answer> {
    let found = store::orders::find_by_reference(app.db(), caller.company()?, &reference).await?;
    let order = found.ok_or_else(|| Error::from(OrderError::NotFound))?;
    Ok(Answer::ok(&OrderOut::from(&*order))?.version(order.version))
}

/// What an order's update sets; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderPatch {
    /// In the same country as before.
    consignee: Option<ConsigneeIn>,
    /// `null` empties them.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    notes: Option<Option<Text<1000>>>,
    /// Until a driver is asked for, and again when Pickup refused or gave it up; `null` takes any slot.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<PickupIn>)]
    pickup: Option<Option<PickupIn>>,
    /// All lines anew, priced as in placing; until a shipment is asked for.
    #[schema(min_items = 1, max_items = 200)]
    lines: Option<Vec<OrderLineIn>>,
    /// What you believe the total of the new lines to be; another one is refused.
    expected_total: Option<Money>,
}

impl OrderPatch {
    fn update(self) -> Result<OrderUpdate, Failure> {
        if self.lines.is_none() && self.expected_total.is_some() {
            return Err(Failure::invalid("LINES_MISSING", "/lines", "only other lines make another total"));
        }
        let wanted = |pickup: Option<PickupIn>| pickup.map(PickupIn::wanted).transpose();
        Ok(OrderUpdate {
            consignee: self.consignee.map(Into::into),
            notes: self.notes.map(|notes| notes.map(String::from)),
            wanted_pickup: self.pickup.map(wanted).transpose()?,
            lines: self.lines.map(lines).transpose()?,
            expected_total: self.expected_total,
        })
    }
}

/// Change where an order goes, what is noted, when the driver should come, or what it holds.
///
/// Address and notes until it is collected; lines until a shipment is asked for. Stock is exchanged at once. The
/// pickup until a driver is asked for: an order on hold because none can come then takes another wish, and a retry.
#[utoipa::path(patch, path = "/api/v1/orders/{id}", operation_id = "update_order", tag = "orders",
    params(("id" = OrderId, Path), ("If-Match" = Option<String>, Header)), request_body = OrderPatch, security(("bearer" = ["orders:update"])),
    responses((status = 200, body = OrderOut), (status = 409, description = "`ORDER_NOT_UPDATABLE`, `COUNTRY_FIXED`, `LINES_FIXED`, `PICKUP_FIXED`, `TOTAL_FIXED`, `INSUFFICIENT_STOCK`, `KYC_REQUIRED`"),
        (status = 422, description = "`TOTAL_MISMATCH` and others as in placing"), (status = 412, description = "`VERSION_MISMATCH`")))]
pub(super) async fn update_order(
    State(app): State<App>,
    caller: Can<UpdateOrders>,
    Path(id): Path<OrderId>,
    seen: IfMatch,
    Json(patch): Json<OrderPatch>,
) -> Result<Answer> {
    let update = patch.update()?;
    let mut tx = app.begin(&caller).await?;
    let order = commands::update_order(&mut tx, caller.scope()?, id, seen, update).await?;
    tx.answer(Answer::ok(&OrderOut::from(&*order))?.version(order.version)).await
}
