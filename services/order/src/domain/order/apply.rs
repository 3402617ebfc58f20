//! The only place where an order changes, so that folding its facts rebuilds it exactly.

use std::{mem, str::FromStr};

use jiff::Timestamp;
use quenty_contracts::order::{
    OrderAllocated, OrderCancelRequested, OrderCancelled, OrderHeld, OrderPlaced, OrderUpdated,
    PickupRequested, ShipmentRequested,
};
use quenty_kernel::{Invalid, contact::ERASED, money::Money};

use super::{
    Hold, OrderFact, OrderState,
    facts::{BookingOf, COMPLETED, OrderBookingEnded, OrderPickupBooked, OrderShipmentBooked},
    status::{HoldCode, OrderKind, PaymentMethod, PaymentStatus, Status},
};
use crate::domain::fulfilment::{Booking, Fulfilment, Step};

/// What a deadline hangs on: when any of it changes, the deadline is reckoned anew.
type Awaited = (Step, Option<HoldCode>, u32, u32, Option<Timestamp>, Option<Timestamp>);

impl OrderState {
    /// Rebuilds an order from its facts; nothing when there are none.
    pub fn fold(facts: impl IntoIterator<Item = (OrderFact, Timestamp)>) -> Result<Option<Self>, Invalid> {
        let mut state: Option<Self> = None;
        for (fact, at) in facts {
            match (&mut state, &fact) {
                (None, OrderFact::Placed(placed)) => {
                    let words = (
                        placed.kind.parse()?,
                        placed.payment_method.parse()?,
                        placed.payment_status.parse()?,
                    );
                    state = Some(Self::placed(placed, words, at));
                }
                (None, _) => return Err(Invalid::new("order", "its history must begin with its placing")),
                (Some(state), _) => state.apply(&fact, at),
            }
        }
        Ok(state)
    }

    pub(super) fn placed(
        placed: &OrderPlaced,
        words: (OrderKind, PaymentMethod, PaymentStatus),
        at: Timestamp,
    ) -> Self {
        let (kind, payment_method, payment_status) = words;
        let mut state = Self {
            id: placed.order_id,
            company_id: placed.company_id,
            customer_id: placed.customer_id,
            external_reference: placed.external_reference.clone(),
            kind,
            status: Status::Pending,
            payment_method,
            payment_status,
            paid: Money::zero(placed.currency),
            refunded: Money::zero(placed.currency),
            lines: placed.lines.clone(),
            totals: placed.totals.clone(),
            items: placed.items.clone(),
            parcels: placed.parcels.clone(),
            consignee: placed.consignee.clone(),
            sender: placed.sender.clone(),
            warehouse_id: placed.warehouse_id,
            reservation_id: placed.reservation_id,
            wanted_pickup: placed.wanted_pickup.clone(),
            notes: placed.notes.clone(),
            stale_standing: placed.stale_standing,
            hold: None,
            interrupted: None,
            cancel_reason: None,
            placed_at: at,
            picked_up_at: None,
            delivered_at: None,
            updated_at: at,
            version: 1,
            fulfilment: Fulfilment::default(),
        };
        let deadline = state.fulfilment.deadline_of(state.step(), at);
        state.fulfilment.set_deadline(deadline);
        state
    }

    pub(super) fn apply(&mut self, fact: &OrderFact, at: Timestamp) {
        let awaited = self.awaited();
        self.change(fact);
        self.updated_at = at;
        self.version += 1;
        if self.awaited() != awaited {
            let waits = self.hold.is_none();
            let deadline = waits.then(|| self.fulfilment.deadline_of(self.step(), at)).flatten();
            self.fulfilment.set_deadline(deadline);
        }
    }

    fn awaited(&self) -> Awaited {
        let f = &self.fulfilment;
        (
            self.step(),
            self.hold.as_ref().map(|hold| hold.code),
            f.shipment_attempt,
            f.pickup_attempt,
            f.window_end,
            f.promised_at,
        )
    }

    fn change(&mut self, fact: &OrderFact) {
        match fact {
            OrderFact::Placed(_) => {}
            // A refused wish to cancel is over once a person decides otherwise, here and where the order is changed.
            OrderFact::StatusSet(_) => self.cancel_reason = None,
            OrderFact::Updated(updated) => self.updated(updated),
            OrderFact::Repacked(repacked) => {
                self.items.clone_from(&repacked.items);
                self.parcels.clone_from(&repacked.parcels);
            }
            OrderFact::PickupWanted(wanted) => {
                self.wanted_pickup.clone_from(&wanted.wanted_pickup);
                self.cancel_reason = None;
            }
            OrderFact::Backordered(_) => {
                self.status = Status::Backordered;
                self.reservation_id = None;
            }
            OrderFact::Allocated(allocated) => self.allocated(allocated),
            OrderFact::Paid(paid) => {
                add(paid.amount, &mut self.paid);
                read(&paid.payment_status, &mut self.payment_status);
            }
            OrderFact::Confirmed(_) => self.status = Status::Confirmed,
            OrderFact::Held(held) => self.held(held),
            OrderFact::Resumed(_) => self.hold = None,
            OrderFact::ShipmentRequested(requested) => self.shipment_requested(requested),
            OrderFact::ShipmentBooked(booked) => self.shipment_booked(booked),
            OrderFact::PromisedAnew(promised) => self.fulfilment.promised_at = Some(promised.promised_at),
            OrderFact::PickupRequested(requested) => self.pickup_requested(requested),
            OrderFact::PickupBooked(booked) => self.pickup_booked(booked),
            OrderFact::PickupKept(_) => self.fulfilment.pickup = Booking::Booked,
            OrderFact::BookingEnded(ended) => self.booking_ended(ended),
            OrderFact::ProcessingStarted(_) => self.status = Status::Processing,
            OrderFact::CancelRequested(requested) => self.cancel_requested(requested),
            OrderFact::Cancelled(cancelled) => self.cancelled(cancelled),
            OrderFact::CancelRefused(_) => self.cancel_refused(),
            OrderFact::PickedUp(picked_up) => {
                self.status = Status::PickedUp;
                self.picked_up_at = Some(picked_up.at);
                self.cancel_reason = None;
            }
            OrderFact::Departed(_) => self.status = Status::InTransit,
            OrderFact::ExceptionRaised(_) => {
                self.interrupted = Some(mem::replace(&mut self.status, Status::Exception))
            }
            OrderFact::ExceptionResolved(resolved) => {
                self.interrupted = None;
                read(&resolved.status, &mut self.status);
            }
            OrderFact::Delivered(delivered) => {
                self.close(Status::Delivered);
                self.delivered_at = Some(delivered.at);
            }
            OrderFact::Undeliverable(_) => {
                self.interrupted = None;
                self.status = Status::Undeliverable;
            }
            OrderFact::Lost(_) => self.close(Status::Lost),
            OrderFact::ReturnedToSender(_) => {
                self.close(Status::ReturnedToSender);
                // What was left behind is together again with the others.
                self.hold = None;
            }
            OrderFact::Refunded(refunded) => {
                add(refunded.amount, &mut self.refunded);
                read(&refunded.payment_status, &mut self.payment_status);
            }
            OrderFact::Erased(_) => {
                self.consignee = self.consignee.erased();
                self.notes = None;
                self.cancel_reason = None;
                // As in the facts: what somebody gave as a reason may be about the person. The code stays.
                if let Some(hold) = &mut self.hold {
                    ERASED.clone_into(&mut hold.reason);
                }
            }
            OrderFact::Returned(returned) => {
                read(&returned.status, &mut self.status);
                self.close(self.status);
            }
        }
    }

    fn updated(&mut self, updated: &OrderUpdated) {
        self.consignee = updated.consignee.clone();
        self.lines.clone_from(&updated.lines);
        self.totals = updated.totals.clone();
        self.notes.clone_from(&updated.notes);
        self.cancel_reason = None;
    }

    fn allocated(&mut self, allocated: &OrderAllocated) {
        if self.status == Status::Backordered {
            self.status = Status::Pending;
        }
        self.reservation_id = Some(allocated.reservation_id);
        self.warehouse_id = allocated.warehouse_id;
        self.sender = allocated.sender.clone();
        read(&allocated.kind, &mut self.kind);
    }

    fn held(&mut self, held: &OrderHeld) {
        let code = held.code.parse().unwrap_or(HoldCode::Manual);
        self.hold = Some(Hold { code, reason: held.reason.clone() });
    }

    fn shipment_requested(&mut self, requested: &ShipmentRequested) {
        self.fulfilment.shipment = Booking::Asked;
        self.fulfilment.shipment_attempt = requested.attempt;
    }

    fn shipment_booked(&mut self, booked: &OrderShipmentBooked) {
        let f = &mut self.fulfilment;
        f.shipment = Booking::Booked;
        f.shipment_id = Some(booked.shipment_id);
        f.carrier = Some(booked.carrier.clone());
        f.tracking_number = Some(booked.tracking_number.clone());
        f.promised_at = Some(booked.promised_at);
    }

    fn pickup_requested(&mut self, requested: &PickupRequested) {
        self.fulfilment.pickup = Booking::Asked;
        self.fulfilment.pickup_attempt = requested.attempt;
    }

    fn pickup_booked(&mut self, booked: &OrderPickupBooked) {
        let f = &mut self.fulfilment;
        // What was given back stays so until Pickup has answered.
        if f.pickup != Booking::Ending {
            f.pickup = Booking::Booked;
        }
        f.pickup_id = Some(booked.pickup_id);
        f.window_start = Some(booked.window_start);
        f.window_end = Some(booked.window_end);
    }

    fn booking_ended(&mut self, ended: &OrderBookingEnded) {
        match ended.booking {
            BookingOf::Shipment => self.fulfilment.end_shipment(),
            // Who came, and when, stays known.
            BookingOf::Pickup if ended.code == COMPLETED => self.fulfilment.pickup = Booking::Open,
            BookingOf::Pickup => self.fulfilment.end_pickup(),
        }
    }

    /// A cancelled order may have to ask once more: for a pickup that was scheduled after all.
    fn cancel_requested(&mut self, requested: &OrderCancelRequested) {
        self.fulfilment.pickup_id = requested.pickup_id.or(self.fulfilment.pickup_id);
        if requested.pickup_only {
            self.fulfilment.pickup = Booking::Ending;
        } else if self.status != Status::Cancelled {
            self.status = Status::Cancelling;
            self.interrupted = None;
            self.hold = None;
            self.cancel_reason = Some(requested.reason.clone());
        }
    }

    fn cancelled(&mut self, cancelled: &OrderCancelled) {
        self.close(Status::Cancelled);
        self.cancel_reason = Some(cancelled.reason.clone());
        // It was once told again, with the shipment that was booked after it.
        self.fulfilment.shipment_id = cancelled.shipment_id.or(self.fulfilment.shipment_id);
    }

    fn cancel_refused(&mut self) {
        self.status = Status::Processing;
        if self.fulfilment.pickup == Booking::Ending {
            self.fulfilment.pickup = Booking::Booked;
        }
    }

    /// Nothing is waited for any more; but what a driver left behind is still there, and somebody's matter.
    fn close(&mut self, status: Status) {
        self.status = status;
        self.interrupted = None;
        self.hold = self.hold.take().filter(|hold| hold.code == HoldCode::PartlyCollected);
    }
}

/// An amount of a fact: in the order's currency, or there would be no such fact.
fn add(amount: Money, to: &mut Money) {
    *to = to.checked_add(amount).unwrap_or(*to);
}

/// A word of a fact; one that this version does not know changes nothing.
fn read<T: FromStr>(word: &str, into: &mut T) {
    if let Ok(known) = word.parse() {
        *into = known;
    }
}
