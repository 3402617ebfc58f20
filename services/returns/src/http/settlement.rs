//! How the buyer is paid.

use axum::extract::State;
use quenty_kernel::{contact::Text, id::ReturnId};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, Json, Path},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{ExchangeReturns, RefundReturns, return_out::ReturnOut, returns::shown};
use crate::{commands, domain::words::RefundMethod};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"method": "original", "reference": "PSE-20261126-0042"}))]
pub(super) struct RefundReturnIn {
    /// Who wanted store credit gets that.
    #[schema(inline)]
    method: RefundMethod,
    /// The payment's own.
    reference: Option<Text<100>>,
}

/// Record that the buyer has the money. Whoever decided on the amount does not record it.
#[utoipa::path(post, path = "/api/v1/returns/{id}/refund", operation_id = "refund_return", tag = "returns",
    params(("id" = ReturnId, Path)), request_body = RefundReturnIn, security(("bearer" = ["returns:refund"])),
    responses((status = 200, body = ReturnOut), (status = 403, description = "`SAME_PERSON`"),
        (status = 409, description = "`ILLEGAL_TRANSITION`: nothing is owed now; `OTHER_RESOLUTION`")))]
pub(super) async fn refund_return(
    State(app): State<App>,
    caller: Can<RefundReturns>,
    Path(id): Path<ReturnId>,
    Json(input): Json<RefundReturnIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let of = commands::refund_return(&mut tx, caller.scope()?, id, input.method, input.reference).await?;
    tx.answer(shown(&of)?).await
}

/// Order the replacement again, after it could not be had. The answer comes within moments, and shows in the return.
#[utoipa::path(post, path = "/api/v1/returns/{id}/exchange", operation_id = "exchange_return", tag = "returns",
    params(("id" = ReturnId, Path)), security(("bearer" = ["returns:exchange"])),
    responses((status = 200, body = ReturnOut), (status = 409, description = "`ILLEGAL_TRANSITION`, `OTHER_RESOLUTION`")))]
pub(super) async fn exchange_return(
    State(app): State<App>,
    caller: Can<ExchangeReturns>,
    Path(id): Path<ReturnId>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let of = commands::retry_exchange(&mut tx, caller.scope()?, id).await?;
    tx.answer(shown(&of)?).await
}
