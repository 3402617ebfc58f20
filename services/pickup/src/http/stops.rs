//! Pickups as dispatchers and drivers see them; a driver reaches the own stops only.

use axum::extract::State;
use jiff::Timestamp;
use quenty_kernel::{
    Failure,
    clock::to_microsecond,
    contact::{PersonName, Text},
    geo::GeoPoint,
    id::{DriverId, PickupId},
    measure::Grams,
};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, Json, Path},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    ArriveAtPickups, AssignPickups, CompletePickups, FailPickups, StartPickups, UnassignPickups,
    pickup_out::{PickupOut, shown},
    reach, staff_only,
};
use crate::{
    commands::{self, fail_pickup::Failed},
    domain::{
        pickup::{FailureCode, HandOver},
        signature::Signature,
    },
};

const MAX_PARCEL_COUNT: u32 = 10_000;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AssignPickupIn {
    driver_id: DriverId,
}

/// Give a stop to a driver.
#[utoipa::path(post, path = "/api/v1/pickups/{id}/assign", operation_id = "assign_pickup", tag = "stops",
    params(("id" = PickupId, Path)), request_body = AssignPickupIn, security(("bearer" = ["pickups:assign"])),
    responses((status = 200, body = PickupOut),
        (status = 409, description = "`DRIVER_INACTIVE`, `VEHICLE_TOO_SMALL`, `ILLEGAL_TRANSITION`")))]
pub(super) async fn assign_pickup(
    State(app): State<App>,
    caller: Can<AssignPickups>,
    Path(id): Path<PickupId>,
    Json(input): Json<AssignPickupIn>,
) -> Result<Answer> {
    staff_only(&caller)?;
    let mut tx = app.begin(&caller).await?;
    let pickup = commands::assign_pickup(&mut tx, reach(&caller)?, id, input.driver_id).await?;
    tx.answer(shown(&pickup)?).await
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UnassignPickupIn {
    reason: Text<500>,
}

/// Take a stop back from its driver, who declined, dropped out or broke down on the way.
#[utoipa::path(post, path = "/api/v1/pickups/{id}/unassign", operation_id = "unassign_pickup", tag = "stops",
    params(("id" = PickupId, Path)), request_body = UnassignPickupIn, security(("bearer" = ["pickups:unassign"])),
    responses((status = 200, body = PickupOut),
        (status = 409, description = "`ILLEGAL_TRANSITION`: it has no driver, or the driver is at the door")))]
pub(super) async fn unassign_pickup(
    State(app): State<App>,
    caller: Can<UnassignPickups>,
    Path(id): Path<PickupId>,
    Json(input): Json<UnassignPickupIn>,
) -> Result<Answer> {
    staff_only(&caller)?;
    let mut tx = app.begin(&caller).await?;
    let pickup = commands::unassign_pickup(&mut tx, reach(&caller)?, id, &input.reason).await?;
    tx.answer(shown(&pickup)?).await
}

/// Start towards a stop, on its day; from now on it cannot be cancelled.
#[utoipa::path(post, path = "/api/v1/pickups/{id}/start", operation_id = "start_pickup", tag = "stops",
    params(("id" = PickupId, Path)), security(("bearer" = ["pickups:start"])),
    responses((status = 200, body = PickupOut),
        (status = 409, description = "`ILLEGAL_TRANSITION`: it is not assigned; `TOO_EARLY`: it is for another day")))]
pub(super) async fn start_pickup(
    State(app): State<App>,
    caller: Can<StartPickups>,
    Path(id): Path<PickupId>,
) -> Result<Answer> {
    staff_only(&caller)?;
    let mut tx = app.begin(&caller).await?;
    let pickup = commands::start_pickup(&mut tx, reach(&caller)?, id).await?;
    tx.answer(shown(&pickup)?).await
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ArriveAtPickupIn {
    /// When the driver was there; now unless told.
    at: Option<Timestamp>,
    position: Option<GeoPoint>,
}

/// Report that the driver is at the door; the first report counts.
#[utoipa::path(post, path = "/api/v1/pickups/{id}/arrive", operation_id = "arrive_at_pickup", tag = "stops",
    params(("id" = PickupId, Path)), request_body = ArriveAtPickupIn, security(("bearer" = ["pickups:arrive"])),
    responses((status = 200, body = PickupOut), (status = 409, description = "`NOT_IN_PROGRESS`: start it first"),
        (status = 422, description = "`IN_THE_FUTURE`, `BEFORE_THE_PICKUP`")))]
pub(super) async fn arrive_at_pickup(
    State(app): State<App>,
    caller: Can<ArriveAtPickups>,
    Path(id): Path<PickupId>,
    Json(input): Json<ArriveAtPickupIn>,
) -> Result<Answer> {
    staff_only(&caller)?;
    let mut tx = app.begin(&caller).await?;
    let pickup = commands::arrive_at_pickup(
        &mut tx,
        reach(&caller)?,
        id,
        input.at.map(to_microsecond),
        input.position,
    )
    .await?;
    tx.answer(shown(&pickup)?).await
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"parcel_count": 1, "weight_grams": 1250, "handed_over_by": "Luz Marín",
    "position": {"lat": 4.6764, "lng": -74.0481}}))]
pub(super) struct CompletePickupIn {
    /// When they were handed over; now unless told.
    at: Option<Timestamp>,
    #[schema(minimum = 1, maximum = 10_000)]
    parcel_count: u32,
    /// Needed when the count is not what was booked: why.
    difference: Option<Text<300>>,
    weight_grams: Option<Grams>,
    /// Needed, this or the signature.
    handed_over_by: Option<PersonName>,
    position: Option<GeoPoint>,
    signature_svg: Option<Signature>,
}

impl CompletePickupIn {
    fn hand_over(self) -> Result<HandOver, Failure> {
        if !(1..=MAX_PARCEL_COUNT).contains(&self.parcel_count) {
            let detail = format!(
                "must lie between 1 and {MAX_PARCEL_COUNT}; fail the stop if nothing was handed over"
            );
            return Err(Failure::invalid("INVALID_FIELD", "/parcel_count", detail));
        }
        let Self { parcel_count, difference, weight_grams, handed_over_by, position, signature_svg, at: _ } =
            self;
        Ok(HandOver { parcel_count, difference, weight_grams, handed_over_by, position, signature_svg })
    }
}

/// Report that the parcels were handed over, with the proof.
///
/// A driver who had no network may report it without the start, and, for two days, of a stop that was cancelled meanwhile.
#[utoipa::path(post, path = "/api/v1/pickups/{id}/complete", operation_id = "complete_pickup", tag = "stops",
    params(("id" = PickupId, Path)), request_body = CompletePickupIn, security(("bearer" = ["pickups:complete"])),
    responses((status = 200, body = PickupOut),
        (status = 409, description = "`ILLEGAL_TRANSITION`: it has no driver, or it has ended otherwise; `TOLD_TOO_LATE`: it was cancelled, days ago"),
        (status = 422, description = "`PROOF_REQUIRED`, `COUNT_DIFFERS`, `IN_THE_FUTURE`, `BEFORE_THE_PICKUP`")))]
pub(super) async fn complete_pickup(
    State(app): State<App>,
    caller: Can<CompletePickups>,
    Path(id): Path<PickupId>,
    Json(input): Json<CompletePickupIn>,
) -> Result<Answer> {
    staff_only(&caller)?;
    let at = input.at.map(to_microsecond);
    let hand_over = input.hand_over()?;
    let mut tx = app.begin(&caller).await?;
    let pickup = commands::complete_pickup(&mut tx, reach(&caller)?, id, at, hand_over).await?;
    tx.answer(shown(&pickup)?).await
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "CLOSED", "detail": "nobody opened", "position": {"lat": 4.6764, "lng": -74.0481}}))]
pub(super) struct FailPickupIn {
    /// When it came to nothing; now unless told. An express guarantee goes by it, as by the arrival.
    at: Option<Timestamp>,
    code: FailureCode,
    detail: Option<Text<500>>,
    position: Option<GeoPoint>,
}

/// Report that nothing was handed over; another attempt is scheduled, after the third nobody comes again.
///
/// One that failed through us (`OTHER`) is not counted, and to a wrong address nobody drives again until a person decides.
#[utoipa::path(post, path = "/api/v1/pickups/{id}/fail", operation_id = "fail_pickup", tag = "stops",
    params(("id" = PickupId, Path)), request_body = FailPickupIn, security(("bearer" = ["pickups:fail"])),
    responses((status = 200, body = PickupOut), (status = 409, description = "`ILLEGAL_TRANSITION`: it is not in progress"),
        (status = 422, description = "`IN_THE_FUTURE`, `BEFORE_THE_PICKUP`")))]
pub(super) async fn fail_pickup(
    State(app): State<App>,
    caller: Can<FailPickups>,
    Path(id): Path<PickupId>,
    Json(input): Json<FailPickupIn>,
) -> Result<Answer> {
    staff_only(&caller)?;
    let FailPickupIn { at, code, detail, position } = input;
    let failed = Failed { code, detail, position, at: at.map(to_microsecond) };
    let mut tx = app.begin(&caller).await?;
    let pickup = commands::fail_pickup(&mut tx, reach(&caller)?, id, failed).await?;
    tx.answer(shown(&pickup)?).await
}
