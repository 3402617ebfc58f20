//! How the goods come back.

use axum::extract::State;
use jiff::civil::Date;
use quenty_kernel::{contact::Text, day::LocalTime, id::ReturnId};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, Json, Path},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{IssueLabels, ReportLosses, SchedulePickups, return_out::ReturnOut, returns::shown};
use crate::{commands, domain::goods_return::Wanted};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SchedulePickupIn {
    /// The local day; the first slot with room unless told.
    #[schema(value_type = Option<String>, format = Date)]
    date: Option<Date>,
    /// The slot's local start, like `08:00`.
    slot: Option<LocalTime>,
}

/// Ask for a driver; the answer comes within moments, and shows in the return.
#[utoipa::path(post, path = "/api/v1/returns/{id}/schedule-pickup", operation_id = "schedule_return_pickup", tag = "returns",
    params(("id" = ReturnId, Path)), request_body = SchedulePickupIn, security(("bearer" = ["returns:schedule_pickup"])),
    responses((status = 200, body = ReturnOut), (status = 409, description = "`NO_WAY_BACK`, `BOOKED_ALREADY`, `ENDING`")))]
pub(super) async fn schedule_return_pickup(
    State(app): State<App>,
    caller: Can<SchedulePickups>,
    Path(id): Path<ReturnId>,
    Json(input): Json<SchedulePickupIn>,
) -> Result<Answer> {
    let wanted = Wanted { date: input.date, slot: input.slot.map(String::from) };
    let mut tx = app.begin(&caller).await?;
    let of = commands::schedule_pickup(&mut tx, caller.scope()?, id, wanted).await?;
    tx.answer(shown(&of)?).await
}

/// Ask for a label; the answer comes within moments, and shows in the return.
#[utoipa::path(post, path = "/api/v1/returns/{id}/label", operation_id = "issue_return_label", tag = "returns",
    params(("id" = ReturnId, Path)), security(("bearer" = ["returns:issue_label"])),
    responses((status = 200, body = ReturnOut), (status = 409, description = "`NO_WAY_BACK`, `BOOKED_ALREADY`, `ENDING`")))]
pub(super) async fn issue_return_label(
    State(app): State<App>,
    caller: Can<IssueLabels>,
    Path(id): Path<ReturnId>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let of = commands::issue_label(&mut tx, caller.scope()?, id).await?;
    tx.answer(shown(&of)?).await
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "the van was robbed"}))]
pub(super) struct ReportReturnLostIn {
    reason: Text<500>,
}

/// Report that the goods were lost on their way, or those that were handed over and are still missing once some have
/// come; the return is processed then, to pay the buyer back. Carriers tell of it by themselves, of what a driver took
/// nobody else does.
#[utoipa::path(post, path = "/api/v1/returns/{id}/lost", operation_id = "report_return_lost", tag = "returns",
    params(("id" = ReturnId, Path)), request_body = ReportReturnLostIn, security(("bearer" = ["returns:report_lost"])),
    responses((status = 200, body = ReturnOut), (status = 409, description = "`NOT_ON_ITS_WAY`")))]
pub(super) async fn report_return_lost(
    State(app): State<App>,
    caller: Can<ReportLosses>,
    Path(id): Path<ReturnId>,
    Json(input): Json<ReportReturnLostIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let of = commands::report_lost(&mut tx, caller.scope()?, id, &input.reason).await?;
    tx.answer(shown(&of)?).await
}
