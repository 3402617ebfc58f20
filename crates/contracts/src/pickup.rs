//! What Pickup tells: every pickup from its slot to the hand-over.

use jiff::Timestamp;
use quenty_kernel::{
    geo::GeoPoint,
    id::{CompanyId, CustomerId, DriverId, OrderId, PickupId, PrivacyRequestId, ReturnId, ServiceAreaId},
    measure::Grams,
    money::Money,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    events,
    party::{Parcel, Party},
};

/// One line of a pickup's price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CostItem {
    /// `base`, `weight`, `zone`, `packaging` or `insurance`.
    #[schema(example = "base")]
    pub code: String,
    pub amount: Money,
}

events! {
    /// A slot is taken for it.
    "quenty.pickup.pickup.scheduled.v1" PickupScheduled personal["contact"] {
        pickup_id: PickupId,
        company_id: CompanyId,
        /// Absent for a pickup booked without an order.
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        /// The request's attempt that this answers.
        attempt: u32,
        /// `on_demand`, `scheduled` or `express`.
        kind: String,
        service_area_id: ServiceAreaId,
        window_start: Timestamp,
        window_end: Timestamp,
        time_zone: String,
        /// Start of the slot whose place it takes: an on-demand window lies across slots.
        slot_start: Timestamp,
        contact: Party,
        parcels: Vec<Parcel>,
        cost: Money,
        /// What `cost` is made of.
        cost_items: Vec<CostItem>,
        tracking_number: Option<String>,
    }
    /// No service area, or no room: nobody will come.
    "quenty.pickup.pickup.rejected.v1" PickupRejected {
        pickup_id: PickupId,
        company_id: CompanyId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        attempt: u32,
        /// `NO_SERVICE_AREA`, `NO_CAPACITY`, `EXPRESS_UNAVAILABLE`, `INSURANCE_UNAVAILABLE`, `PRICE_TOO_LARGE`.
        code: String,
        detail: String,
    }
    "quenty.pickup.pickup.assigned.v1" PickupAssigned {
        pickup_id: PickupId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        driver_id: DriverId,
    }
    /// Its driver does not come, and may have been on the way: it can be cancelled again.
    "quenty.pickup.pickup.unassigned.v1" PickupUnassigned {
        pickup_id: PickupId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        reason: String,
    }
    /// The driver is on the way to this stop: too late to cancel.
    "quenty.pickup.pickup.started.v1" PickupStarted {
        pickup_id: PickupId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        driver_id: DriverId,
    }
    "quenty.pickup.pickup.arrived.v1" PickupArrived personal["position"] {
        pickup_id: PickupId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        at: Timestamp,
        position: Option<GeoPoint>,
    }
    /// The driver has the parcels. Told late, it may follow `cancelled`.
    "quenty.pickup.pickup.completed.v1" PickupCompleted personal["handed_over_by", "position", "difference"] {
        pickup_id: PickupId,
        company_id: CompanyId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        at: Timestamp,
        parcel_count: u32,
        weight_grams: Option<Grams>,
        handed_over_by: Option<String>,
        position: Option<GeoPoint>,
        /// How many were booked: fewer handed over are not all of them. Absent in facts of before it was told.
        parcels_booked: Option<u32>,
        /// Why another number was handed over than was booked.
        difference: Option<String>,
    }
    "quenty.pickup.pickup.failed.v1" PickupFailed personal["detail", "position"] {
        pickup_id: PickupId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        attempt_number: u32,
        /// `NOT_READY`, `CLOSED`, `WRONG_ADDRESS`, `NO_ACCESS`, `OTHER`.
        code: String,
        detail: Option<String>,
        position: Option<GeoPoint>,
        /// When it failed: told late, that is before the fact. Absent in facts of before it was told.
        at: Option<Timestamp>,
    }
    "quenty.pickup.pickup.rescheduled.v1" PickupRescheduled {
        pickup_id: PickupId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        window_start: Timestamp,
        window_end: Timestamp,
        /// What the window is local to. Absent in facts of before it was told.
        time_zone: Option<String>,
        /// `merchant`, `after_failure`, `dispatcher`. After a failure, too, a merchant who had to find the next window.
        by: String,
        /// What it costs from now on, where that is something else than before.
        cost: Option<Money>,
        /// What `cost` is made of.
        #[serde(default)]
        cost_items: Vec<CostItem>,
    }
    /// The third attempt failed, not counting those that came to nothing through us.
    "quenty.pickup.pickup.abandoned.v1" PickupAbandoned {
        pickup_id: PickupId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        reason: String,
    }
    "quenty.pickup.pickup.cancelled.v1" PickupCancelled {
        pickup_id: PickupId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        reason: String,
    }
    /// The driver has begun, or the parcels are collected: the order goes on.
    "quenty.pickup.pickup.cancel_refused.v1" PickupCancelRefused {
        pickup_id: PickupId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        status: String,
    }
    /// An express guarantee was missed: its fee is refunded.
    "quenty.pickup.express.missed.v1" ExpressMissed {
        pickup_id: PickupId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        refund: Money,
    }
    /// All that the service held about the person is erased, or stands for nobody any more. Counts, and no word of it.
    "quenty.pickup.privacy.erased.v1" PickupsErased {
        request_id: PrivacyRequestId,
        company_id: CompanyId,
        customer_id: CustomerId,
        /// Of the request that this answers.
        #[serde(default)]
        round: u32,
        /// Rows that spoke of the person.
        records: u32,
        /// Facts of the journal that were stripped.
        facts: u32,
    }
}
