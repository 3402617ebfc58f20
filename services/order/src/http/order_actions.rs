//! What people do with a placed order.

use axum::extract::State;
use quenty_kernel::{Failure, Kind, contact::Text, id::OrderId, money::Money};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, IfMatch, Json, Path},
    token::Realm,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    CancelOrders, HoldOrders, PayOrders, RefundOrders, ReleaseOrders, RetryOrders, SetOrderStatus,
    order_wire::OrderOut,
};
use crate::{
    commands,
    domain::order::{Order, Payment, Status},
};

fn answer(order: &Order) -> Result<Answer> {
    Ok(Answer::ok(&OrderOut::from(&**order))?.version(order.version))
}

/// A payment that the merchant received.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PaymentIn {
    /// All that is due: the order's total, or what the credit of an exchange has left of it.
    amount: Money,
    /// The payment's own name: a receipt, a transfer.
    reference: Option<Text<100>>,
}

/// Record the payment of a prepaid order.
#[utoipa::path(post, path = "/api/v1/orders/{id}/payments", operation_id = "pay_order", tag = "orders",
    params(("id" = OrderId, Path)), request_body = PaymentIn, security(("bearer" = ["orders:pay"])),
    responses((status = 200, body = OrderOut), (status = 409, description = "`ALREADY_PAID`, `NOT_PREPAID`"), (status = 422, description = "`AMOUNT_MISMATCH`")))]
pub(super) async fn pay_order(
    State(app): State<App>,
    caller: Can<PayOrders>,
    Path(id): Path<OrderId>,
    Json(input): Json<PaymentIn>,
) -> Result<Answer> {
    let payment = Payment { amount: input.amount, reference: input.reference.map(String::from) };
    let mut tx = app.begin(&caller).await?;
    let order = commands::pay_order(&mut tx, caller.scope()?, id, payment).await?;
    tx.answer(answer(&order)?).await
}

/// Money that the merchant paid back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RefundIn {
    /// All that is left of the payments, unless told.
    amount: Option<Money>,
    /// The refund's own name: a receipt, a transfer.
    reference: Option<Text<100>>,
}

/// Record what was paid back of an order that ended without delivery.
///
/// It was cancelled, lost, or returned to its sender, and something was paid for it. What is paid back of delivered
/// goods is a matter of their return.
#[utoipa::path(post, path = "/api/v1/orders/{id}/refunds", operation_id = "refund_order", tag = "orders",
    params(("id" = OrderId, Path)), request_body = RefundIn, security(("bearer" = ["orders:refund"])),
    responses((status = 200, body = OrderOut), (status = 409, description = "`ORDER_NOT_REFUNDABLE`, `NOTHING_TO_REFUND`, `REFUND_TOO_LARGE`"), (status = 422, description = "`REFUND_NOT_POSITIVE`, `CURRENCY_MISMATCH`")))]
pub(super) async fn refund_order(
    State(app): State<App>,
    caller: Can<RefundOrders>,
    Path(id): Path<OrderId>,
    Json(input): Json<RefundIn>,
) -> Result<Answer> {
    let refund = (input.amount, input.reference.map(String::from));
    let mut tx = app.begin(&caller).await?;
    let order = commands::refund_order(&mut tx, caller.scope()?, id, refund).await?;
    tx.answer(answer(&order)?).await
}

/// Why something is done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReasonIn {
    reason: Text<500>,
}

/// Put an order on hold: nothing more is asked for until it is released.
#[utoipa::path(post, path = "/api/v1/orders/{id}/hold", operation_id = "hold_order", tag = "orders",
    params(("id" = OrderId, Path)), request_body = ReasonIn, security(("bearer" = ["orders:hold"])),
    responses((status = 200, body = OrderOut), (status = 409, description = "`ORDER_NOT_HOLDABLE`, `ALREADY_ON_HOLD`")))]
pub(super) async fn hold_order(
    State(app): State<App>,
    caller: Can<HoldOrders>,
    Path(id): Path<OrderId>,
    Json(input): Json<ReasonIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let order = commands::hold_order(&mut tx, caller.scope()?, id, input.reason.into()).await?;
    tx.answer(answer(&order)?).await
}

/// Release an order that a person has put on hold.
#[utoipa::path(post, path = "/api/v1/orders/{id}/release", operation_id = "release_order", tag = "orders",
    params(("id" = OrderId, Path)), security(("bearer" = ["orders:release"])),
    responses((status = 200, body = OrderOut), (status = 409, description = "`NOT_ON_HOLD`, `RETRY_NEEDED`")))]
pub(super) async fn release_order(
    State(app): State<App>,
    caller: Can<ReleaseOrders>,
    Path(id): Path<OrderId>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let order = commands::release_order(&mut tx, caller.scope()?, id).await?;
    tx.answer(answer(&order)?).await
}

/// Cancel an order: at once while no driver is booked, else as soon as Pickup lets it go.
#[utoipa::path(post, path = "/api/v1/orders/{id}/cancel", operation_id = "cancel_order", tag = "orders",
    params(("id" = OrderId, Path)), request_body = ReasonIn, security(("bearer" = ["orders:cancel"])),
    responses((status = 200, body = OrderOut), (status = 409, description = "`ORDER_NOT_CANCELLABLE`")))]
pub(super) async fn cancel_order(
    State(app): State<App>,
    caller: Can<CancelOrders>,
    Path(id): Path<OrderId>,
    Json(input): Json<ReasonIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let order = commands::cancel_order(&mut tx, caller.scope()?, id, input.reason.into()).await?;
    tx.answer(answer(&order)?).await
}

/// Go on after a failure: ask again for what was refused, wait again for what is late.
///
/// Of a cancelled order whose parcels travelled for all that, it says that its stock was set right.
#[utoipa::path(post, path = "/api/v1/orders/{id}/retry", operation_id = "retry_order", tag = "orders",
    params(("id" = OrderId, Path)), security(("bearer" = ["orders:retry"])),
    responses((status = 200, body = OrderOut), (status = 409, description = "`NOTHING_TO_RETRY`")))]
pub(super) async fn retry_order(
    State(app): State<App>,
    caller: Can<RetryOrders>,
    Path(id): Path<OrderId>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let order = commands::retry_order(&mut tx, caller.scope()?, id).await?;
    tx.answer(answer(&order)?).await
}

/// Where staff say that an order stands.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StatusIn {
    status: Status,
    reason: Text<500>,
}

/// Set the status of an order along a legal edge; staff only. The saga follows.
#[utoipa::path(put, path = "/api/v1/orders/{id}/status", operation_id = "set_order_status", tag = "orders",
    params(("id" = OrderId, Path), ("If-Match" = Option<String>, Header)), request_body = StatusIn, security(("bearer" = ["orders:set_status"])),
    responses((status = 200, body = OrderOut), (status = 409, description = "`ILLEGAL_TRANSITION`, `STATUS_NOT_SETTABLE`, `NOT_BOOKED`"), (status = 412, description = "`VERSION_MISMATCH`")))]
pub(super) async fn set_order_status(
    State(app): State<App>,
    caller: Can<SetOrderStatus>,
    Path(id): Path<OrderId>,
    seen: IfMatch,
    Json(input): Json<StatusIn>,
) -> Result<Answer> {
    if caller.realm() != Some(Realm::Staff) {
        return Err(Failure::new(
            Kind::Forbidden,
            "STAFF_ONLY",
            "only platform staff set an order's status by hand",
        )
        .into());
    }
    let status = (input.status, input.reason.into());
    let mut tx = app.begin(&caller).await?;
    let order = commands::set_order_status(&mut tx, caller.scope()?, id, seen, status).await?;
    tx.answer(answer(&order)?).await
}
