//! A pickup as callers see it.

use jiff::Timestamp;
use quenty_contracts::party::{Parcel, Party};
use quenty_kernel::{
    id::{CompanyId, DriverId, OrderId, PickupId, ReturnId, ServiceAreaId},
    money::Money,
};
use quenty_platform::{Result, http::Answer};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{
    booking::PickupKind,
    fees::Cost,
    pickup::{FailedAttempt, Pickup, PickupState, Proof, Reason, Status},
    timetable::Window,
};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PickupOut {
    id: PickupId,
    company_id: CompanyId,
    /// Absent for a pickup booked without an order.
    order_id: Option<OrderId>,
    /// The return whose goods it collects at the buyer's door.
    return_id: Option<ReturnId>,
    kind: PickupKind,
    status: Status,
    contact: Party,
    parcels: Vec<Parcel>,
    insured_value: Option<Money>,
    packaging: bool,
    tracking_number: Option<String>,
    service_area_id: Option<ServiceAreaId>,
    /// What `window` is local to.
    time_zone: Option<String>,
    /// Absent for a rejected pickup.
    window: Option<Window>,
    cost: Option<Cost>,
    driver_id: Option<DriverId>,
    started_at: Option<Timestamp>,
    arrived_at: Option<Timestamp>,
    /// An express pickup is collected by then, or its fee is refunded.
    guaranteed_until: Option<Timestamp>,
    /// What a missed guarantee gives back.
    refund: Option<Money>,
    failed_attempts: Vec<FailedAttempt>,
    merchant_reschedules: u32,
    proof: Option<Proof>,
    /// A stable word that says why nobody comes.
    reason_code: Option<String>,
    /// Why it ended, or was to end: a driver may have collected what was cancelled meanwhile.
    reason: Option<String>,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<&PickupState> for PickupOut {
    fn from(state: &PickupState) -> Self {
        let (request, promise, reason) = (&state.request, state.promise.as_ref(), state.reason.as_ref());
        Self {
            id: state.id,
            company_id: request.company_id,
            order_id: request.order_id,
            return_id: request.return_id,
            kind: request.kind,
            status: state.status,
            contact: request.contact.clone(),
            parcels: request.parcels.clone(),
            insured_value: request.insured_value,
            packaging: request.packaging,
            tracking_number: request.tracking_number.clone(),
            service_area_id: promise.map(|promise| promise.area_id),
            time_zone: promise.map(|promise| promise.time_zone.clone()),
            window: promise.map(|promise| promise.window),
            cost: promise.map(|promise| promise.cost.clone()),
            driver_id: state.driver_id,
            started_at: state.started_at,
            arrived_at: state.arrived_at,
            guaranteed_until: promise.and_then(|promise| promise.guaranteed_until),
            refund: state.refund,
            failed_attempts: state.failures.clone(),
            merchant_reschedules: state.merchant_reschedules,
            proof: state.proof.clone(),
            reason_code: reason.and_then(|Reason { code, .. }| code.clone()),
            reason: reason.map(|reason| reason.text.clone()),
            version: state.version,
            created_at: state.created_at,
            updated_at: state.updated_at,
        }
    }
}

pub(super) fn shown(pickup: &Pickup) -> Result<Answer> {
    Ok(Answer::ok(&PickupOut::from(&**pickup))?.version(pickup.version))
}
