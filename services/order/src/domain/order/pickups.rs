//! The pickup of an order, and what Pickup answers. A pickup is given back when the order is cancelled, when no
//! shipment takes its parcels on, and when the carrier has them without it; whether the driver has begun, Pickup
//! decides.

use jiff::Timestamp;
use quenty_contracts::order::{OrderCancelRequested, PickupRequested};
use quenty_kernel::{day, id::PickupId};

use super::{
    Movement, Order, OrderKind, Status,
    facts::{BookingOf, COMPLETED, OrderBookingEnded, OrderPickupBooked, OrderPickupKept},
    status::HoldCode,
};
use crate::domain::fulfilment::Booking;

/// What Pickup tells of a pickup.
#[derive(Debug, Clone, PartialEq)]
pub enum PickupNews {
    Scheduled {
        pickup_id: PickupId,
        attempt: u32,
        window_start: Timestamp,
        window_end: Timestamp,
    },
    Rejected {
        attempt: u32,
        code: String,
        detail: String,
    },
    Rescheduled {
        pickup_id: PickupId,
        window_start: Timestamp,
        window_end: Timestamp,
    },
    Completed {
        pickup_id: PickupId,
        at: Timestamp,
        /// How many of the parcels were not handed over.
        missing: u32,
    },
    Abandoned {
        pickup_id: PickupId,
        reason: String,
    },
    Cancelled {
        pickup_id: PickupId,
        reason: String,
    },
    CancelRefused {
        pickup_id: PickupId,
        reason: String,
    },
    /// The driver came for nothing, or turned back: nobody is on the way any more.
    CameInVain {
        pickup_id: PickupId,
    },
    /// The driver is assigned, under way, or there: for the timeline.
    Noted,
}

/// Why a pickup is given back whose parcels nobody has to fetch.
pub(super) const WITH_CARRIER: &str = "the carrier has the parcels";
const WITH_DRIVER: &str = "another driver has the parcels";

impl Order {
    pub(super) fn request_pickup(&mut self, attempt: u32, now: Timestamp) {
        let (Some(shipment_id), Some(tracking_number)) =
            (self.fulfilment.shipment_id, self.fulfilment.tracking_number.clone())
        else {
            return;
        };
        let wanted = self.wanted_pickup.as_ref();
        // Of which place the day is, only Pickup knows. Nobody comes on one that is over: then any slot will do.
        let in_time = wanted.filter(|wanted| wanted.date.is_none_or(|date| !day::is_over(date, now)));
        let usual = if self.kind == OrderKind::Express { "express" } else { "scheduled" };
        let request = PickupRequested {
            order_id: self.id,
            company_id: self.company_id,
            attempt,
            kind: wanted.map_or(usual, |wanted| &wanted.kind).to_owned(),
            date: in_time.and_then(|wanted| wanted.date),
            slot: in_time.and_then(|wanted| wanted.slot.clone()),
            sender: self.sender.clone(),
            parcels: self.parcels.clone(),
            insured_value: None,
            shipment_id,
            tracking_number,
        };
        self.happen(request, now);
    }

    pub fn hear_pickup(&mut self, news: PickupNews, now: Timestamp) {
        match news {
            PickupNews::Scheduled { pickup_id, attempt, window_start, window_end } => {
                let booked = OrderPickupBooked { order_id: self.id, pickup_id, window_start, window_end };
                self.pickup_scheduled(booked, attempt, now);
            }
            PickupNews::Rejected { attempt, code, detail }
                if self.has_unnamed_pickup() && attempt == self.fulfilment.pickup_attempt =>
            {
                self.pickup_ended(HoldCode::PickupRejected, code, detail, now);
            }
            PickupNews::Rescheduled { pickup_id, window_start, window_end }
                if self.is_own_pickup(pickup_id) =>
            {
                self.happen(
                    OrderPickupBooked { order_id: self.id, pickup_id, window_start, window_end },
                    now,
                );
                self.resume_if(now, |code| code == HoldCode::PickupOverdue);
            }
            PickupNews::Completed { pickup_id, at, missing } => self.collected(pickup_id, at, missing, now),
            PickupNews::Abandoned { pickup_id, reason } if self.is_own_pickup(pickup_id) => {
                self.pickup_ended(HoldCode::PickupAbandoned, "ABANDONED".to_owned(), reason, now);
            }
            PickupNews::Cancelled { pickup_id, reason }
                if self.is_own_pickup(pickup_id) || self.waits_for_unnamed_pickup() =>
            {
                self.pickup_ended(HoldCode::PickupCancelled, "CANCELLED".to_owned(), reason, now);
            }
            PickupNews::CancelRefused { pickup_id, reason } if self.is_own_pickup(pickup_id) => {
                self.keep_pickup(pickup_id, reason, now);
            }
            PickupNews::CameInVain { pickup_id } if self.has_live_pickup(pickup_id) => self.came_in_vain(now),
            _ => {}
        }
    }

    /// Whether this is the pickup that the order still waits for.
    fn is_own_pickup(&self, pickup: PickupId) -> bool {
        let f = &self.fulfilment;
        let waits =
            self.is_before_collection() || self.status == Status::Cancelling || f.pickup == Booking::Ending;
        waits && self.has_live_pickup(pickup)
    }

    fn has_live_pickup(&self, pickup: PickupId) -> bool {
        self.fulfilment.pickup.is_live() && self.fulfilment.pickup_id == Some(pickup)
    }

    /// Whether Pickup can only mean the pickup that was asked for, given back, and never scheduled.
    fn waits_for_unnamed_pickup(&self) -> bool {
        let f = &self.fulfilment;
        (self.status == Status::Cancelling || f.pickup == Booking::Ending) && self.has_unnamed_pickup()
    }

    fn has_unnamed_pickup(&self) -> bool {
        self.fulfilment.pickup.is_live() && self.fulfilment.pickup_id.is_none()
    }

    /// Asks Pickup to let its pickup go, while the order goes on.
    pub(super) fn give_pickup_back(&mut self, reason: String, now: Timestamp) {
        let f = &self.fulfilment;
        if f.pickup.is_live() {
            let (pickup_id, attempt) = (f.pickup_id, f.pickup_attempt);
            self.happen(
                OrderCancelRequested { order_id: self.id, pickup_id, attempt, reason, pickup_only: true },
                now,
            );
        }
    }

    /// A driver has the parcels. It may be one whose pickup was cancelled before that was told; then nobody else has to
    /// fetch them.
    fn collected(&mut self, pickup_id: PickupId, at: Timestamp, missing: u32, now: Timestamp) {
        let is_own = self.has_live_pickup(pickup_id);
        self.travel_from(Movement::PickedUp, at, now);
        if is_own {
            let (code, detail) = (COMPLETED.to_owned(), "the driver collected the parcels".to_owned());
            self.happen(
                OrderBookingEnded { order_id: self.id, booking: BookingOf::Pickup, code, detail },
                now,
            );
        } else if self.waits_for_driver() {
            self.give_pickup_back(WITH_DRIVER.to_owned(), now);
        }
        self.hold_if_stranded("the driver collected them", now);
        // Wherever the others are by now; those of a cancelled order are held already, and what came back is whole again.
        let is_parted = self.picked_up_at.is_some() && self.status != Status::ReturnedToSender;
        if missing > 0 && is_parted {
            let why = format!(
                "not all parcels were handed over, {missing} stayed behind: have them collected by a pickup of their own, \
                 or agree with the buyer on what comes, then retry"
            );
            self.fail(HoldCode::PartlyCollected, why, now);
        }
    }

    /// Nobody will come. Where that was asked for, it is no failure.
    fn pickup_ended(&mut self, hold: HoldCode, code: String, detail: String, now: Timestamp) {
        if self.fulfilment.pickup != Booking::Ending || self.status == Status::Cancelling {
            return self.end_booking(BookingOf::Pickup, hold, code, detail, now);
        }
        let ended = OrderBookingEnded { order_id: self.id, booking: BookingOf::Pickup, code, detail };
        self.happen(ended, now);
        self.resume_if(now, |code| code == HoldCode::PickupUnanswered);
        self.proceed(now);
    }

    /// The driver has begun: what was to end goes on.
    fn keep_pickup(&mut self, pickup_id: PickupId, reason: String, now: Timestamp) {
        if self.status == Status::Cancelling {
            self.refuse_cancellation(reason, now);
        } else if self.fulfilment.pickup == Booking::Ending {
            self.happen(OrderPickupKept { order_id: self.id, pickup_id, reason: reason.clone() }, now);
            self.resume_if(now, |code| code == HoldCode::PickupUnanswered);
            if self.hold.as_ref().is_some_and(|hold| hold.code == HoldCode::ShipmentVoided) {
                let why = format!(
                    "the shipment is void, but {reason}: retry books another one for what the driver brings"
                );
                self.fail(HoldCode::ShipmentVoided, why, now);
            }
        }
        self.proceed(now);
    }

    /// Who was too near to be called off came for nothing, and would come again: what was wished before is asked for
    /// once more.
    fn came_in_vain(&mut self, now: Timestamp) {
        if self.status == Status::Cancelling || !self.fulfilment.has_pickup() {
            return;
        }
        if !self.is_before_collection() {
            self.give_pickup_back(WITH_CARRIER.to_owned(), now);
        } else if let Some(reason) = self.cancel_reason.clone() {
            self.request_cancellation(reason, now);
        }
    }

    /// Parcels that somebody has, and that nobody takes on, are looked after by a person.
    fn hold_if_stranded(&mut self, how: &str, now: Timestamp) {
        if self.is_stranded() && self.fulfilment.shipment == Booking::Open && self.hold.is_none() {
            let why = format!("the shipment of the parcels is void, and {how}: retry books another one");
            self.fail(HoldCode::ShipmentVoided, why, now);
        }
    }

    fn pickup_scheduled(&mut self, booked: OrderPickupBooked, attempt: u32, now: Timestamp) {
        let f = &self.fulfilment;
        let asked = f.pickup == Booking::Asked && attempt == f.pickup_attempt;
        if self.status == Status::Cancelled {
            if f.pickup_id != Some(booked.pickup_id) {
                self.take_back(booked.pickup_id, attempt, now);
            }
        } else if asked {
            let pickup = booked.pickup_id;
            self.happen(booked, now);
            if self.status == Status::Cancelling {
                self.take_back(pickup, attempt, now);
            }
            self.resume_if(now, |code| matches!(code, HoldCode::PickupUnanswered | HoldCode::PickupRejected));
            self.proceed(now);
        } else if f.pickup == Booking::Ending && attempt == f.pickup_attempt {
            // Known by its name from now on; the answer to its end is on the way.
            self.happen(booked, now);
        }
    }

    /// A pickup was scheduled after all: asks again to cancel it, now by its id.
    fn take_back(&mut self, pickup: PickupId, attempt: u32, now: Timestamp) {
        let reason = self.cancel_reason.clone().unwrap_or_default();
        self.happen(
            OrderCancelRequested {
                order_id: self.id,
                pickup_id: Some(pickup),
                attempt,
                reason,
                pickup_only: false,
            },
            now,
        );
    }
}
