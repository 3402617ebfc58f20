//! What the people of our carrier report: scans, attempts, deliveries with proof and cash.

use axum::extract::State;
use jiff::Timestamp;
use quenty_kernel::{
    clock::to_microsecond,
    contact::Text,
    id::{ShipmentId, new_uuid},
    money::Money,
};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, Json, Path},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::ScanShipments;
use crate::{
    Error, commands,
    domain::{
        shipment::{Shipment, Status},
        tracking::{ExceptionCode, Proof, Scan, ScanKind},
    },
};

/// A scanner's clock may be this far ahead of ours.
const CLOCK_SKEW: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ShipmentEventIn {
    kind: ScanKind,
    /// The reporter's own id: the same report twice counts once.
    #[serde(default)]
    event_id: Option<Uuid>,
    /// When it happened; now unless told.
    #[serde(default)]
    at: Option<Timestamp>,
    /// The hub or the city, which anyone may see who has the tracking number. Kept only with `scan`, `departed`,
    /// `arrived`, `customs_hold` and `customs_released`: elsewhere it may be somebody's door.
    #[serde(default)]
    place: Option<Text<100>>,
    /// For `exception` and `undeliverable`.
    #[serde(default)]
    code: Option<ExceptionCode>,
    /// Needed for `exception` and `undeliverable`.
    #[serde(default)]
    detail: Option<Text<300>>,
    /// Needed for `delivered`.
    #[serde(default)]
    proof: Option<Proof>,
    /// With `delivered`, exactly what is due on delivery.
    #[serde(default)]
    cash_collected: Option<Money>,
}

/// Where the shipment stands after the report.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ShipmentStatusOut {
    id: ShipmentId,
    status: Status,
    failed_deliveries: u32,
    cash_collected: bool,
    delivered_at: Option<Timestamp>,
    version: i64,
}

impl From<&Shipment> for ShipmentStatusOut {
    fn from(shipment: &Shipment) -> Self {
        let state = shipment.state();
        Self {
            id: state.id,
            status: state.status,
            failed_deliveries: state.failed_deliveries,
            cash_collected: state.cash_collected,
            delivered_at: state.delivered_at,
            version: state.version,
        }
    }
}

/// Report what happened to a shipment. Late, repeated and out-of-order reports make no difference.
#[utoipa::path(post, path = "/api/v1/shipments/{id}/events", operation_id = "record_shipment_event", tag = "shipments",
    params(("id" = ShipmentId, Path)), request_body = ShipmentEventIn, security(("bearer" = ["shipments:scan"])),
    responses((status = 200, body = ShipmentStatusOut),
        (status = 409, description = "`SHIPMENT_NOT_BOOKED`, `ILLEGAL_TRANSITION`: the report does not fit the shipment's status"),
        (status = 422, description = "`PROOF_REQUIRED`, `CASH_MISMATCH`, `DETAIL_REQUIRED`, `IN_THE_FUTURE`, `BEFORE_THE_SHIPMENT`")))]
pub(super) async fn record_shipment_event(
    State(app): State<App>,
    caller: Can<ScanShipments>,
    Path(id): Path<ShipmentId>,
    Json(input): Json<ShipmentEventIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let now = tx.now();
    let at = input.at.unwrap_or(now);
    if at > now.saturating_add(CLOCK_SKEW).unwrap_or(Timestamp::MAX) {
        let detail = "it cannot have happened yet: check the clock of the scanner";
        return Err(Error::BadField { code: "IN_THE_FUTURE", pointer: "/at", detail }.into());
    }
    let scan = Scan {
        event_id: input.event_id.unwrap_or_else(new_uuid),
        kind: input.kind,
        at: to_microsecond(at),
        place: input.place.filter(|_| ScanKind::NAMES_A_HUB.contains(&input.kind)),
        code: input.code,
        detail: input.detail,
        proof: input.proof,
        cash_collected: input.cash_collected,
    };
    let shipment = commands::record_shipment_event(&mut tx, caller.scope()?, id, &scan).await?;
    tx.answer(Answer::ok(&ShipmentStatusOut::from(&shipment))?.version(shipment.state().version)).await
}
