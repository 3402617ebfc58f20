//! What people decide about a return.

use axum::extract::State;
use quenty_kernel::{contact::Text, id::ReturnId};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, Json, Path},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    ApproveReturns, CancelReturns, DisputeReturns, RejectReturns, return_out::ReturnOut, returns::shown,
};
use crate::commands;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApproveReturnIn {
    note: Option<Text<500>>,
}

/// Approve a return that waits for a person; its way back is arranged then.
#[utoipa::path(put, path = "/api/v1/returns/{id}/approve", operation_id = "approve_return", tag = "returns",
    params(("id" = ReturnId, Path)), request_body = ApproveReturnIn, security(("bearer" = ["returns:approve"])),
    responses((status = 200, body = ReturnOut), (status = 409, description = "`ILLEGAL_TRANSITION`: it does not wait for a decision")))]
pub(super) async fn approve_return(
    State(app): State<App>,
    caller: Can<ApproveReturns>,
    Path(id): Path<ReturnId>,
    Json(input): Json<ApproveReturnIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let of = commands::approve_return(&mut tx, caller.scope()?, id, input.note.as_ref()).await?;
    tx.answer(shown(&of)?).await
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RejectReturnIn {
    /// The buyer reads it.
    reason: Text<500>,
}

/// Reject a return that waits for a person.
#[utoipa::path(put, path = "/api/v1/returns/{id}/reject", operation_id = "reject_return", tag = "returns",
    params(("id" = ReturnId, Path)), request_body = RejectReturnIn, security(("bearer" = ["returns:reject"])),
    responses((status = 200, body = ReturnOut), (status = 409, description = "`ILLEGAL_TRANSITION`: it does not wait for a decision")))]
pub(super) async fn reject_return(
    State(app): State<App>,
    caller: Can<RejectReturns>,
    Path(id): Path<ReturnId>,
    Json(input): Json<RejectReturnIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let of = commands::reject_return(&mut tx, caller.scope()?, id, &input.reason).await?;
    tx.answer(shown(&of)?).await
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DisputeReturnIn {
    reason: Text<500>,
}

/// Object, in the buyer's name, to a rejection or to what the inspection found.
#[utoipa::path(post, path = "/api/v1/returns/{id}/dispute", operation_id = "dispute_return", tag = "returns",
    params(("id" = ReturnId, Path)), request_body = DisputeReturnIn, security(("bearer" = ["returns:dispute"])),
    responses((status = 200, body = ReturnOut),
        (status = 409, description = "`ILLEGAL_TRANSITION`: it is neither rejected nor inspected; `NOT_SO_MANY_LEFT`; `BUYER_ERASED`; `ERASURE_UNDER_WAY`")))]
pub(super) async fn dispute_return(
    State(app): State<App>,
    caller: Can<DisputeReturns>,
    Path(id): Path<ReturnId>,
    Json(input): Json<DisputeReturnIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let of = commands::dispute_return(&mut tx, caller.scope()?, id, &input.reason).await?;
    tx.answer(shown(&of)?).await
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelReturnIn {
    reason: Text<500>,
}

/// Cancel a return before its goods are on their way. With a driver or a label booked it ends once that is given back;
/// until then it shows `ending`. Once nobody has answered in time, which its `attention` tells, this asks again.
#[utoipa::path(post, path = "/api/v1/returns/{id}/cancel", operation_id = "cancel_return", tag = "returns",
    params(("id" = ReturnId, Path)), request_body = CancelReturnIn, security(("bearer" = ["returns:cancel"])),
    responses((status = 200, body = ReturnOut), (status = 409, description = "`ILLEGAL_TRANSITION`: it is on its way; `ENDING`")))]
pub(super) async fn cancel_return(
    State(app): State<App>,
    caller: Can<CancelReturns>,
    Path(id): Path<ReturnId>,
    Json(input): Json<CancelReturnIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let of = commands::cancel_return(&mut tx, caller.scope()?, id, &input.reason).await?;
    tx.answer(shown(&of)?).await
}
