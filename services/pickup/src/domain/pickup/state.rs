//! What a pickup is at a moment, and how each fact changes it: the only place where it changes.

use jiff::Timestamp;
use quenty_contracts::pickup::{
    PickupCompleted, PickupFailed, PickupRejected, PickupRescheduled, PickupScheduled,
};
use quenty_kernel::{
    geo::GeoPoint,
    id::{DriverId, PickupId, ServiceAreaId},
    measure::Grams,
    money::Money,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{facts::PickupFact, status::Status};
use crate::domain::{
    booking::{BookingRequest, PickupKind},
    fees::Cost,
    signature::{self, Signature},
    timetable::Window,
};

/// Who moved a pickup to another window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RescheduledBy {
    Merchant,
    Dispatcher,
    AfterFailure,
}

impl RescheduledBy {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Merchant => "merchant",
            Self::Dispatcher => "dispatcher",
            Self::AfterFailure => "after_failure",
        }
    }
}

/// An attempt at which nothing was handed over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct FailedAttempt {
    pub(crate) number: u32,
    /// `NOT_READY`, `CLOSED`, `WRONG_ADDRESS`, `NO_ACCESS` or `OTHER`.
    pub(crate) code: String,
    pub(crate) detail: Option<String>,
    pub(crate) position: Option<GeoPoint>,
    pub(crate) at: Timestamp,
}

/// What shows that the parcels were handed over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Proof {
    pub(crate) at: Timestamp,
    pub(crate) parcel_count: u32,
    /// Why that is not what was booked.
    pub(crate) difference: Option<String>,
    pub(crate) weight_grams: Option<Grams>,
    pub(crate) handed_over_by: Option<String>,
    pub(crate) position: Option<GeoPoint>,
    #[serde(default, deserialize_with = "signature::kept_if_any")]
    pub(crate) signature_svg: Option<Signature>,
}

/// Where and when someone comes, and for how much.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Promise {
    pub(crate) area_id: ServiceAreaId,
    pub(crate) time_zone: String,
    pub(crate) window: Window,
    pub(crate) cost: Cost,
    /// An express pickup is collected by then, or its fee is refunded.
    pub(crate) guaranteed_until: Option<Timestamp>,
}

/// Why it ended, or why nobody was to come any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    /// A stable word, for rejections.
    pub(crate) code: Option<String>,
    pub(crate) text: String,
}

/// A pickup at a moment, as it is stored and shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PickupState {
    pub(crate) id: PickupId,
    pub(crate) request: BookingRequest,
    pub(crate) status: Status,
    /// Absent for a rejected one.
    pub(crate) promise: Option<Promise>,
    /// The start of the slot in which it holds a place.
    pub(crate) slot_start: Option<Timestamp>,
    pub(crate) driver_id: Option<DriverId>,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) arrived_at: Option<Timestamp>,
    pub(crate) failures: Vec<FailedAttempt>,
    pub(crate) merchant_reschedules: u32,
    /// Also of one that had been collected for all that.
    pub(crate) cancelled_at: Option<Timestamp>,
    pub(crate) refund: Option<Money>,
    pub(crate) proof: Option<Proof>,
    pub(crate) reason: Option<Reason>,
    /// How many facts made it.
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl PickupState {
    /// Rebuilds a pickup from its facts; nothing, if they do not begin with a request and its answer.
    pub(crate) fn fold(facts: impl IntoIterator<Item = (PickupFact, Timestamp)>) -> Option<Self> {
        let mut facts = facts.into_iter();
        let (PickupFact::Requested(request), _) = facts.next()? else { return None };
        let mut state = match facts.next()? {
            (PickupFact::Scheduled(fact), at) => Self::scheduled(request, &fact, at),
            (PickupFact::Rejected(fact), at) => Self::rejected(request, &fact, at),
            _ => return None,
        };
        for (fact, at) in facts {
            state.apply(&fact, at);
        }
        // Facts of before a driver's notes were personal keep theirs. An erasure has stripped the contact of all facts, so
        // that this is known of any time.
        if state.request.contact.is_erased() {
            state.forget_person();
        }
        Some(state)
    }

    fn new(id: PickupId, request: BookingRequest, status: Status, at: Timestamp) -> Self {
        Self {
            id,
            request,
            status,
            promise: None,
            slot_start: None,
            driver_id: None,
            started_at: None,
            arrived_at: None,
            failures: Vec::new(),
            merchant_reschedules: 0,
            cancelled_at: None,
            refund: None,
            proof: None,
            reason: None,
            version: 2,
            created_at: at,
            updated_at: at,
        }
    }

    pub(super) fn scheduled(request: BookingRequest, fact: &PickupScheduled, at: Timestamp) -> Self {
        let express = request.kind == PickupKind::Express;
        let promise = Promise {
            area_id: fact.service_area_id,
            time_zone: fact.time_zone.clone(),
            window: Window { start: fact.window_start, end: fact.window_end },
            cost: Cost { total: fact.cost, items: fact.cost_items.clone() },
            guaranteed_until: express.then_some(fact.window_end),
        };
        let new = Self::new(fact.pickup_id, request, Status::Scheduled, at);
        Self { promise: Some(promise), slot_start: Some(fact.slot_start), ..new }
    }

    pub(super) fn rejected(request: BookingRequest, fact: &PickupRejected, at: Timestamp) -> Self {
        let reason = Reason { code: Some(fact.code.clone()), text: fact.detail.clone() };
        Self { reason: Some(reason), ..Self::new(fact.pickup_id, request, Status::Rejected, at) }
    }

    pub(super) fn apply(&mut self, fact: &PickupFact, at: Timestamp) {
        match fact {
            // Told again to who asks again.
            PickupFact::Requested(_) | PickupFact::Scheduled(_) | PickupFact::Rejected(_) => {}
            PickupFact::Updated(fact) => self.request.contact = fact.contact.clone(),
            PickupFact::Assigned(fact) => {
                self.status = Status::Assigned;
                self.driver_id = Some(fact.driver_id);
            }
            PickupFact::Unassigned(_) => {
                self.status = Status::Scheduled;
                self.driver_id = None;
                self.started_at = None;
            }
            PickupFact::Started(_) => {
                self.status = Status::InProgress;
                self.started_at = Some(at);
            }
            PickupFact::Arrived(fact) => self.arrived_at = Some(fact.at),
            PickupFact::Completed(fact) => self.completed(fact),
            PickupFact::Signed(fact) => {
                if let Some(proof) = &mut self.proof {
                    proof.signature_svg = Some(fact.signature_svg.clone());
                }
            }
            PickupFact::Failed(fact) => self.failed(fact, at),
            PickupFact::Rescheduled(fact) => self.rescheduled(fact),
            PickupFact::Abandoned(fact) => self.ended(Status::Abandoned, &fact.reason),
            // Told again to who asks late: what has ended stays as it ended.
            PickupFact::Cancelled(_) if self.is_over() => {}
            PickupFact::Cancelled(fact) => {
                self.cancelled_at = Some(at);
                self.ended(Status::Cancelled, &fact.reason);
            }
            PickupFact::CancelRefused(_) => {}
            PickupFact::Erased(_) => self.forget_person(),
            PickupFact::ExpressMissed(fact) => self.refund = Some(fact.refund),
        }
        self.version += 1;
        self.updated_at = at;
    }

    /// Ended without a hand-over.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.status, Status::Rejected | Status::Abandoned | Status::Cancelled)
    }

    pub(super) fn forget_person(&mut self) {
        self.request.contact = self.request.contact.erased();
        for failure in &mut self.failures {
            failure.detail = None;
            failure.position = None;
        }
        if let Some(proof) = &mut self.proof {
            proof.difference = None;
            proof.handed_over_by = None;
            proof.position = None;
            proof.signature_svg = None;
        }
    }

    fn completed(&mut self, fact: &PickupCompleted) {
        self.status = Status::Completed;
        self.proof = Some(Proof {
            at: fact.at,
            parcel_count: fact.parcel_count,
            difference: fact.difference.clone(),
            weight_grams: fact.weight_grams,
            handed_over_by: fact.handed_over_by.clone(),
            position: fact.position,
            signature_svg: None,
        });
    }

    fn failed(&mut self, fact: &PickupFailed, at: Timestamp) {
        self.status = Status::Failed;
        self.slot_start = None;
        self.failures.push(FailedAttempt {
            number: fact.attempt_number,
            code: fact.code.clone(),
            detail: fact.detail.clone(),
            position: fact.position,
            at: fact.at.unwrap_or(at),
        });
        // The driver was there in time, or was late already: the guarantee has had its answer.
        self.end_guarantee();
    }

    fn rescheduled(&mut self, fact: &PickupRescheduled) {
        self.status = Status::Scheduled;
        self.driver_id = None;
        self.started_at = None;
        self.arrived_at = None;
        // A new window is a slot, so that it begins where its slot does.
        self.slot_start = Some(fact.window_start);
        if let Some(promise) = &mut self.promise {
            promise.window = Window { start: fact.window_start, end: fact.window_end };
            if let Some(total) = fact.cost {
                promise.cost = Cost { total, items: fact.cost_items.clone() };
            }
        }
        if fact.by == RescheduledBy::Merchant.as_str() {
            self.merchant_reschedules += 1;
            self.end_guarantee();
        }
    }

    fn ended(&mut self, status: Status, reason: &str) {
        self.status = status;
        self.slot_start = None;
        self.reason = Some(Reason { code: None, text: reason.to_owned() });
    }

    fn end_guarantee(&mut self) {
        if let Some(promise) = &mut self.promise {
            promise.guaranteed_until = None;
        }
    }
}
