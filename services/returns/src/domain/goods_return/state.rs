//! What a return is at a moment, and how each fact changes it: the only place where it changes.

use jiff::{SignedDuration, Timestamp};
use quenty_contracts::returns::{
    InspectedUnit, LineQuantity, RefundAmounts, ReturnInspected, ReturnReceived, ReturnRequested,
    ReturnWayBackCancelRequested, ReturnedValue,
};
use quenty_kernel::{
    Actor,
    id::{CompanyId, InspectionId, OrderId, PickupId, ReturnId, ShipmentId},
    money::Money,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    EXCHANGE_FAILED,
    facts::{
        ReturnFact, ReturnGivenBack, ReturnPickupAttemptFailed, ReturnPickupBooked, ReturnPickupRescheduled,
        ReturnWayBackFailed, UnitDisposition,
    },
    status::Status,
    way_back::{PARTLY_COLLECTED, PICKUP_OVERDUE},
};
use crate::domain::{approval::Finding, words::WayBack};

/// Pickup and Shipping answer at once; what has no answer by then is looked at.
const ANSWER_WITHIN: SignedDuration = SignedDuration::from_mins(15);
/// How long each step may take before somebody is told (three to five days).
const DECIDED_WITHIN: SignedDuration = SignedDuration::from_hours(3 * 24);
const ON_THE_ROAD: SignedDuration = SignedDuration::from_hours(7 * 24);
const INSPECTED_WITHIN: SignedDuration = SignedDuration::from_hours(3 * 24);
const PROCESSED_WITHIN: SignedDuration = SignedDuration::from_hours(2 * 24);
const SETTLED_WITHIN: SignedDuration = SignedDuration::from_hours(5 * 24);
/// A driver may be so late, as for an order.
const COLLECTED_AFTER_WINDOW: SignedDuration = SignedDuration::from_hours(24);
/// A payment provider is tried for so long; then a person asks it.
const PAID_WITHIN: SignedDuration = SignedDuration::from_hours(24);

quenty_kernel::words! {
    /// How it ends without goods.
    pub(crate) enum Ending ("ending") { Cancelled = "cancelled", Expired = "expired" }
}

quenty_kernel::words! {
    pub(crate) enum DisputeOf ("object of a dispute") { Rejection = "rejection", Inspection = "inspection" }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Approval {
    /// `BY_HAND`, or the rule of the policy.
    #[schema(example = "WRONG_ITEM")]
    pub(crate) rule: String,
    pub(crate) detail: String,
    pub(crate) at: Timestamp,
    /// What has not arrived by then expires.
    pub(crate) expires_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Dispute {
    #[schema(inline)]
    pub(crate) of: DisputeOf,
    pub(crate) reason: String,
    pub(crate) at: Timestamp,
}

/// A person has to look, and at what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Attention {
    #[schema(example = "INSPECTION_OVERDUE")]
    pub(crate) code: String,
    pub(crate) detail: String,
}

/// How the goods come back, as far as that is arranged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Booking {
    /// How often a driver or a label was asked for.
    pub(crate) attempt: u32,
    /// Asked for, not answered yet.
    #[schema(inline)]
    pub(crate) asked: Option<WayBack>,
    pub(crate) pickup_id: Option<PickupId>,
    pub(crate) window_start: Option<Timestamp>,
    pub(crate) window_end: Option<Timestamp>,
    /// Why the driver came in vain, until another window is promised.
    #[schema(example = "NOT_READY")]
    pub(crate) failure: Option<String>,
    /// How the return was to end when the driver had begun: it does, if the driver comes in vain.
    #[schema(inline)]
    pub(crate) refused_ending: Option<Ending>,
    pub(crate) shipment_id: Option<ShipmentId>,
    pub(crate) tracking_number: Option<String>,
    pub(crate) cost: Option<Money>,
}

/// What one inspection said of one unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct UnitInspection {
    pub(crate) inspection_id: InspectionId,
    #[serde(flatten)]
    pub(crate) found: InspectedUnit,
    #[schema(value_type = String)]
    pub(crate) inspected_by: Actor,
    pub(crate) at: Timestamp,
}

/// One received unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct ReceivedUnit {
    /// The line's place in its order, from 1.
    pub(crate) line: u32,
    /// Its number within what was received of the line, from 1.
    pub(crate) unit: u32,
    pub(crate) inspection: Option<UnitInspection>,
    /// What was said before a dispute.
    pub(crate) earlier_inspections: Vec<UnitInspection>,
    pub(crate) disposition: Option<UnitDisposition>,
}

/// How the money was settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Settlement {
    /// `refunded`, `exchanged` or `disposed`.
    pub(crate) outcome: String,
    pub(crate) refunded: Option<Money>,
    pub(crate) method: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) exchange_order_id: Option<OrderId>,
    pub(crate) exchange_total: Option<Money>,
    pub(crate) at: Timestamp,
}

/// What the payment provider was asked to pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Payout {
    /// From 1; only what was refused is asked for under a new number, so that nothing is paid twice.
    pub(crate) number: u32,
    pub(crate) amount: Money,
    #[schema(value_type = String)]
    pub(crate) asked_by: Actor,
    pub(crate) at: Timestamp,
}

/// When a saga's step is over at the latest. Numbered, so that a step that was met meanwhile is told from the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Deadline {
    pub(crate) number: u32,
    pub(crate) at: Timestamp,
}

/// A return at a moment, as it is stored and shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ReturnState {
    pub(crate) id: ReturnId,
    pub(crate) request: ReturnRequested,
    pub(crate) status: Status,
    /// Why a person decides.
    pub(crate) findings: Vec<Finding>,
    pub(crate) approval: Option<Approval>,
    pub(crate) rejection: Option<String>,
    pub(crate) dispute: Option<Dispute>,
    pub(crate) booking: Booking,
    /// It ends as soon as the booking is given back.
    pub(crate) ending: Option<Ending>,
    /// Outlives a refusal, until somebody has the goods.
    pub(crate) ending_reason: Option<String>,
    pub(crate) attention: Option<Attention>,
    pub(crate) units: Vec<ReceivedUnit>,
    pub(crate) picked_up_at: Option<Timestamp>,
    pub(crate) arrived_at: Option<Timestamp>,
    pub(crate) received_at: Option<Timestamp>,
    pub(crate) received_by: Option<Actor>,
    pub(crate) lost_at: Option<Timestamp>,
    pub(crate) amounts: Option<RefundAmounts>,
    /// What the goods of each line came to: as many of the same cost that in their place.
    #[serde(default)]
    pub(crate) values: Vec<ReturnedValue>,
    /// What the goods are expected to bring, less what that costs.
    pub(crate) recovery: Option<Money>,
    pub(crate) processed_at: Option<Timestamp>,
    pub(crate) processed_by: Option<Actor>,
    pub(crate) settlement: Option<Settlement>,
    /// Order refused the replacement, and was not asked again.
    #[serde(default)]
    pub(crate) exchange_failed: bool,
    /// What a replacement left of the buyer's credit, to be paid back.
    pub(crate) left_of_credit: Option<Money>,
    /// Under way.
    #[serde(default)]
    pub(crate) payout: Option<Payout>,
    /// How many the provider refused.
    #[serde(default)]
    pub(crate) payouts_refused: u32,
    pub(crate) deadline: Option<Deadline>,
    pub(crate) deadlines: u32,
    /// How many facts made it.
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl ReturnState {
    /// Rebuilds a return from its facts; nothing, if they do not begin with a request.
    pub(crate) fn fold(facts: impl IntoIterator<Item = (ReturnFact, Timestamp)>) -> Option<Self> {
        let mut facts = facts.into_iter();
        let (ReturnFact::Requested(request), at) = facts.next()? else { return None };
        let mut state = Self::requested(request, at);
        for (fact, at) in facts {
            state.apply(&fact, at);
        }
        Some(state)
    }

    pub(super) fn requested(request: ReturnRequested, at: Timestamp) -> Self {
        let mut state = Self {
            id: request.return_id,
            request,
            status: Status::Requested,
            findings: Vec::new(),
            approval: None,
            rejection: None,
            dispute: None,
            booking: Booking::default(),
            ending: None,
            ending_reason: None,
            attention: None,
            units: Vec::new(),
            picked_up_at: None,
            arrived_at: None,
            received_at: None,
            received_by: None,
            lost_at: None,
            amounts: None,
            values: Vec::new(),
            recovery: None,
            processed_at: None,
            processed_by: None,
            settlement: None,
            exchange_failed: false,
            left_of_credit: None,
            payout: None,
            payouts_refused: 0,
            deadline: None,
            deadlines: 0,
            version: 1,
            created_at: at,
            updated_at: at,
        };
        state.wait_until(Some(at + DECIDED_WITHIN));
        state
    }

    pub(crate) fn company_id(&self) -> CompanyId {
        self.request.company_id
    }

    pub(crate) fn order_id(&self) -> OrderId {
        self.request.order_id
    }

    /// How many units of a line were received.
    pub(crate) fn received_of(&self, line: u32) -> u32 {
        u32::try_from(self.units.iter().filter(|unit| unit.line == line).count()).unwrap_or(u32::MAX)
    }

    /// What was asked for and has not arrived.
    pub(crate) fn outstanding(&self) -> Vec<LineQuantity> {
        let lines = self.request.lines.iter();
        let missing = lines.map(|line| LineQuantity {
            line: line.line,
            quantity: line.quantity.saturating_sub(self.received_of(line.line)),
        });
        missing.filter(|of| of.quantity > 0).collect()
    }

    /// What arrived, by line.
    pub(crate) fn returned(&self) -> Vec<LineQuantity> {
        let lines = self.request.lines.iter();
        let of = lines.map(|line| LineQuantity { line: line.line, quantity: self.received_of(line.line) });
        of.filter(|of| of.quantity > 0).collect()
    }

    /// Which way back is booked or asked for.
    pub(crate) fn booked_way(&self) -> Option<WayBack> {
        if self.booking.pickup_id.is_some() {
            return Some(WayBack::Pickup);
        }
        self.booking.shipment_id.map(|_| WayBack::Label).or(self.booking.asked)
    }

    #[expect(clippy::too_many_lines, reason = "one arm per fact, none of them long")]
    pub(super) fn apply(&mut self, fact: &ReturnFact, at: Timestamp) {
        match fact {
            ReturnFact::Requested(_) => {}
            ReturnFact::Referred(fact) => self.findings.clone_from(&fact.findings),
            ReturnFact::Approved(fact) => {
                self.rejection = None;
                self.approval = Some(Approval {
                    rule: fact.rule.clone(),
                    detail: fact.detail.clone(),
                    at,
                    expires_at: fact.expires_at,
                });
                self.become_(Status::Approved, Some(fact.expires_at));
            }
            ReturnFact::Rejected(fact) => {
                self.rejection = Some(fact.reason.clone());
                self.become_(Status::Rejected, None);
            }
            ReturnFact::Disputed(fact) => {
                let of = if fact.of == DisputeOf::Inspection.as_str() {
                    DisputeOf::Inspection
                } else {
                    DisputeOf::Rejection
                };
                self.dispute = Some(Dispute { of, reason: fact.reason.clone(), at });
                self.become_(Status::Disputed, Some(at + DECIDED_WITHIN));
            }
            ReturnFact::PickupRequested(fact) => self.asked(WayBack::Pickup, fact.attempt, at),
            ReturnFact::LabelRequested(fact) => self.asked(WayBack::Label, fact.attempt, at),
            ReturnFact::PickupBooked(fact) => self.pickup_booked(fact, at),
            ReturnFact::PickupRescheduled(fact) => self.pickup_rescheduled(fact, at),
            ReturnFact::PickupAttemptFailed(fact) => self.pickup_attempt_failed(fact, at),
            ReturnFact::LabelIssued(fact) => {
                self.booking.asked = None;
                self.booking.shipment_id = Some(fact.shipment_id);
                self.booking.tracking_number = Some(fact.tracking_number.clone());
                self.become_(Status::LabelIssued, self.expires_at());
            }
            ReturnFact::LabelPriced(fact) => {
                self.booking.cost = Some(fact.cost);
                if fact.tracking_number.is_some() {
                    self.booking.tracking_number.clone_from(&fact.tracking_number);
                }
            }
            ReturnFact::WayBackFailed(fact) => self.way_back_failed(fact),
            ReturnFact::WayBackCancelRequested(fact) => self.way_back_cancel_requested(fact),
            ReturnFact::EndingAsked(fact) => {
                self.ending = Some(fact.ending);
                self.booking.refused_ending = None;
                self.ending_reason = Some(fact.reason.clone());
                self.attention = None;
                self.wait_until(Some(at + ANSWER_WITHIN));
            }
            ReturnFact::EndingRefused(fact) => {
                self.booking.refused_ending = self.ending.take();
                self.attention = Some(Attention { code: "WENT_ON".to_owned(), detail: fact.reason.clone() });
                // What should have ended by now asks again in a day, not at once: the driver is still under way.
                let collected = self.collection_due(at).filter(|due| *due > at);
                self.wait_until(collected.or(Some(at + COLLECTED_AFTER_WINDOW)));
            }
            ReturnFact::PickedUp(fact) => {
                self.picked_up_at = Some(fact.at);
                self.wish_no_end();
                self.become_(Status::PickedUp, Some(at + ON_THE_ROAD));
            }
            ReturnFact::Departed(_) => {
                self.lost_at = None;
                self.become_(Status::InTransit, Some(at + ON_THE_ROAD));
            }
            ReturnFact::Arrived(fact) => {
                self.arrived_at = Some(fact.at);
                // What a person took for lost turned up.
                if self.lost_at.take().is_some() {
                    self.attention = None;
                }
                self.wait_until(Some(at + INSPECTED_WITHIN));
            }
            ReturnFact::GivenBack(fact) => self.given_back(fact),
            ReturnFact::Lost(fact) => {
                self.lost_at = Some(fact.at);
                let reason = fact.reason.as_deref().unwrap_or("the carrier lost it");
                self.attention = Some(Attention {
                    code: "LOST".to_owned(),
                    detail: format!("{reason}; process it to pay the buyer back"),
                });
                // What came of it is still to be inspected and decided on in time.
                if self.units.is_empty() {
                    self.wait_until(None);
                }
            }
            ReturnFact::Received(fact) => self.received(fact, at),
            ReturnFact::Inspected(fact) => self.inspected(fact, at),
            ReturnFact::Processed(fact) => {
                self.amounts = Some(fact.amounts);
                self.values.clone_from(&fact.values);
                self.recovery = Some(fact.recovery);
                self.processed_at = Some(at);
                self.processed_by = Some(fact.processed_by.clone());
                self.become_(Status::Processed, Some(at + SETTLED_WITHIN));
            }
            ReturnFact::UnitsDisposed(fact) => self.units_disposed(&fact.units),
            ReturnFact::ExchangeAsked(_) => {
                self.exchange_failed = false;
                self.attention = None;
                self.wait_until(Some(at + SETTLED_WITHIN));
            }
            ReturnFact::PayoutAsked(fact) => {
                self.payout = Some(fact.payout.clone());
                self.attention = None;
                self.wait_until(Some(at + PAID_WITHIN));
            }
            ReturnFact::PayoutRefused(fact) => {
                self.payout = None;
                self.payouts_refused += 1;
                self.attention =
                    Some(Attention { code: "PAYOUT_REFUSED".to_owned(), detail: fact.detail.clone() });
                self.wait_until(None);
            }
            ReturnFact::Refunded(fact) => {
                self.payout = None;
                // What a replacement left of the credit is paid back within the exchange.
                if self.status != Status::Exchanged {
                    self.settled(Status::Refunded, at);
                }
                self.left_of_credit = None;
                if let Some(settlement) = &mut self.settlement {
                    settlement.refunded = Some(fact.amount);
                    settlement.method = Some(fact.method.clone());
                    settlement.reference.clone_from(&fact.reference);
                }
            }
            ReturnFact::Exchanged(fact) => {
                self.settled(Status::Exchanged, at);
                if let Some(settlement) = &mut self.settlement {
                    settlement.exchange_order_id = Some(fact.exchange_order_id);
                    settlement.exchange_total = Some(fact.total);
                }
                if !fact.left_of_credit.is_zero() {
                    self.left_of_credit = Some(fact.left_of_credit);
                    self.wait_until(Some(at + SETTLED_WITHIN));
                }
            }
            ReturnFact::Disposed(_) => self.settled(Status::Disposed, at),
            ReturnFact::Cancelled(fact) => {
                self.ending_reason = Some(fact.reason.clone());
                self.ended(Status::Cancelled);
            }
            ReturnFact::Expired(_) => self.ended(Status::Expired),
            ReturnFact::Completed(_) => self.ended(Status::Closed),
            ReturnFact::Erased(_) => {
                self.request.buyer = self.request.buyer.erased();
                self.request.notes = None;
            }
            ReturnFact::AttentionRaised(fact) => {
                self.exchange_failed |= fact.attention.code == EXCHANGE_FAILED;
                self.attention = Some(fact.attention.clone());
                // Nobody's answer is waited for any more, but what was approved still expires, and what a driver has of
                // it is on its way.
                if fact.attention.code != PARTLY_COLLECTED {
                    let expires =
                        self.expires_at().filter(|expires| self.status.is_before_pickup() && *expires > at);
                    self.wait_until(expires);
                }
            }
        }
        self.version += 1;
        self.updated_at = at;
    }

    fn become_(&mut self, status: Status, until: Option<Timestamp>) {
        self.status = status;
        self.attention = None;
        self.wait_until(until);
    }

    fn wait_until(&mut self, at: Option<Timestamp>) {
        if self.deadline.map(|deadline| deadline.at) == at {
            return;
        }
        self.deadline = at.map(|at| {
            self.deadlines += 1;
            Deadline { number: self.deadlines, at }
        });
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.approval.as_ref().map(|approval| approval.expires_at)
    }

    fn asked(&mut self, way: WayBack, attempt: u32, at: Timestamp) {
        self.booking = Booking { attempt, asked: Some(way), ..Booking::default() };
        self.attention = None;
        self.wait_until(Some(at + ANSWER_WITHIN));
    }

    fn wish_no_end(&mut self) {
        self.ending = None;
        self.ending_reason = None;
        self.booking.refused_ending = None;
    }

    /// When a driver is overdue.
    fn overdue_at(&self, at: Timestamp) -> Option<Timestamp> {
        let window = self.booking.window_end.map(|end| end.max(at));
        window.and_then(|end| end.checked_add(COLLECTED_AFTER_WINDOW).ok())
    }

    /// When a driver is overdue, unless it expires before.
    fn collection_due(&self, at: Timestamp) -> Option<Timestamp> {
        self.overdue_at(at).into_iter().chain(self.expires_at()).min()
    }

    /// Nothing expires under a driver who is promised for later.
    fn await_driver(&mut self, at: Timestamp) {
        let overdue = self.overdue_at(at);
        if let (Some(approval), Some(overdue)) = (&mut self.approval, overdue) {
            approval.expires_at = approval.expires_at.max(overdue);
        }
        self.become_(Status::PickupScheduled, self.collection_due(at));
    }

    fn pickup_booked(&mut self, fact: &ReturnPickupBooked, at: Timestamp) {
        self.booking.asked = None;
        self.booking.pickup_id = Some(fact.pickup_id);
        self.booking.window_start = Some(fact.window_start);
        self.booking.window_end = Some(fact.window_end);
        self.booking.cost = Some(fact.cost);
        if !fact.too_late {
            self.await_driver(at);
        }
    }

    fn pickup_rescheduled(&mut self, fact: &ReturnPickupRescheduled, at: Timestamp) {
        self.booking.window_start = Some(fact.window_start);
        self.booking.window_end = Some(fact.window_end);
        self.booking.failure = None;
        // Whoever wants to end it waits for Pickup's answer to that.
        if self.ending.is_none() {
            self.await_driver(at);
        }
    }

    fn pickup_attempt_failed(&mut self, fact: &ReturnPickupAttemptFailed, at: Timestamp) {
        self.booking.failure = Some(fact.code.clone());
        let is_told = self.attention.as_ref().is_some_and(|attention| attention.code == PICKUP_OVERDUE);
        if self.ending.is_none() && !is_told {
            self.wait_until(self.collection_due(at));
        }
    }

    /// What was booked for nobody is known from then on: whether it is stopped is told by its id.
    fn way_back_cancel_requested(&mut self, fact: &ReturnWayBackCancelRequested) {
        let is_booked = fact.pickup_id.is_some() || fact.shipment_id.is_some();
        if is_booked && fact.attempt == self.booking.attempt {
            self.booking.asked = None;
            self.booking.pickup_id = fact.pickup_id;
            self.booking.shipment_id = fact.shipment_id;
        }
    }

    fn given_back(&mut self, fact: &ReturnGivenBack) {
        self.booking = Booking { attempt: self.booking.attempt, ..Booking::default() };
        self.picked_up_at = None;
        self.arrived_at = None;
        self.lost_at = None;
        if let Some(approval) = &mut self.approval {
            approval.expires_at = fact.expires_at;
        }
        self.become_(Status::Approved, Some(fact.expires_at));
        self.attention = Some(Attention {
            code: "RETURNED_TO_SENDER".to_owned(),
            detail: "the carrier gave it back to the buyer; ask for another way back, or cancel".to_owned(),
        });
    }

    fn way_back_failed(&mut self, fact: &ReturnWayBackFailed) {
        self.booking = Booking { attempt: self.booking.attempt, ..Booking::default() };
        // Of goods that were brought meanwhile nobody has to come for, whatever becomes of them now.
        if self.status.is_before_pickup() {
            self.become_(Status::Approved, self.expires_at());
            self.attention = Some(Attention { code: fact.code.clone(), detail: fact.detail.clone() });
        }
    }

    fn received(&mut self, fact: &ReturnReceived, at: Timestamp) {
        for LineQuantity { line, quantity } in &fact.arrived {
            for _ in 0..*quantity {
                let unit = self.received_of(*line) + 1;
                self.units.push(ReceivedUnit {
                    line: *line,
                    unit,
                    inspection: None,
                    earlier_inspections: Vec::new(),
                    disposition: None,
                });
            }
        }
        // Whoever wanted to end it did not know that the goods were there already.
        self.wish_no_end();
        // What still has not come is as lost as it was.
        if self.outstanding().is_empty() {
            self.lost_at = None;
        }
        self.received_at = Some(at);
        self.received_by = Some(fact.received_by.clone());
        self.become_(Status::Received, Some(at + INSPECTED_WITHIN));
    }

    fn inspected(&mut self, fact: &ReturnInspected, at: Timestamp) {
        for found in &fact.units {
            let unit = self.units.iter_mut().find(|unit| (unit.line, unit.unit) == (found.line, found.unit));
            if let Some(unit) = unit {
                let inspection = UnitInspection {
                    inspection_id: fact.inspection_id,
                    found: found.clone(),
                    inspected_by: fact.inspected_by.clone(),
                    at,
                };
                unit.earlier_inspections.extend(unit.inspection.replace(inspection));
            }
        }
        if fact.complete {
            self.become_(Status::Inspected, Some(at + PROCESSED_WITHIN));
        }
    }

    fn units_disposed(&mut self, disposed: &[UnitDisposition]) {
        for of in disposed {
            if let Some(unit) =
                self.units.iter_mut().find(|unit| (unit.line, unit.unit) == (of.line, of.unit))
            {
                unit.disposition = Some(of.clone());
            }
        }
    }

    fn settled(&mut self, status: Status, at: Timestamp) {
        self.settlement = Some(Settlement {
            outcome: status.as_str().to_owned(),
            refunded: None,
            method: None,
            reference: None,
            exchange_order_id: None,
            exchange_total: None,
            at,
        });
        self.become_(status, None);
    }

    fn ended(&mut self, status: Status) {
        self.become_(status, None);
        self.ending = None;
        self.booking.asked = None;
    }
}
