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
use crate::{commands, domain::words::RefundMethod, parts::Payouts};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"method": "original", "reference": "PSE-20261126-0042"}))]
pub(super) struct RefundReturnIn {
    /// Who wanted store credit gets that.
    method: RefundMethod,
    /// The payment's own, of one that is made. Where a payment provider is configured, `original` without a reference
    /// has it pay.
    reference: Option<Text<100>>,
}

/// Pay the buyer through the payment provider, where one is configured, or record that the buyer has the money.
/// Whoever decided on the amount does neither. While the provider is to pay, the return shows the `payout`. An exchange
/// that nothing pays for (`FREE_EXCHANGE`) is closed by this, also with nothing to be paid.
#[utoipa::path(post, path = "/api/v1/returns/{id}/refund", operation_id = "refund_return", tag = "returns",
    params(("id" = ReturnId, Path)), request_body = RefundReturnIn, security(("bearer" = ["returns:refund"])),
    responses((status = 200, body = ReturnOut), (status = 403, description = "`SAME_PERSON`"),
        (status = 409, description = "`ILLEGAL_TRANSITION`: nothing is owed now; `OTHER_RESOLUTION`; `PAYOUT_UNDER_WAY`")))]
pub(super) async fn refund_return(
    State(app): State<App>,
    caller: Can<RefundReturns>,
    Path(id): Path<ReturnId>,
    Json(input): Json<RefundReturnIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let RefundReturnIn { method, reference } = input;
    let has_provider = app.part::<Payouts>()?.are_made();
    let of = commands::refund_return(&mut tx, caller.scope()?, id, method, reference, has_provider).await?;
    tx.answer(shown(&of)?).await
}

/// Order the replacement again, once `attention` tells that it could not be had or takes too long. The answer comes within
/// moments, and shows in the return.
#[utoipa::path(post, path = "/api/v1/returns/{id}/exchange", operation_id = "exchange_return", tag = "returns",
    params(("id" = ReturnId, Path)), security(("bearer" = ["returns:exchange"])),
    responses((status = 200, body = ReturnOut), (status = 409, description = "`ILLEGAL_TRANSITION`: also while it is being ordered, and where nothing was paid for the goods; `OTHER_RESOLUTION`; `PAYOUT_UNDER_WAY`")))]
pub(super) async fn exchange_return(
    State(app): State<App>,
    caller: Can<ExchangeReturns>,
    Path(id): Path<ReturnId>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let of = commands::retry_exchange(&mut tx, caller.scope()?, id).await?;
    tx.answer(shown(&of)?).await
}
