//! What merchants, staff and the clock decide about an order.

use jiff::Timestamp;
use quenty_contracts::{
    order::{
        OrderAllocated, OrderCancelRequested, OrderCancelled, OrderConfirmed, OrderHeld, OrderResumed,
        OrderReturned,
    },
    party::Party,
};
use quenty_kernel::id::{ReservationId, WarehouseId};

use super::{
    Movement, Order, OrderError, OrderKind, Status,
    facts::{OrderErased, OrderStatusSet},
    status::HoldCode,
};
use crate::domain::fulfilment::{Booking, Step};

/// Where the goods of a backordered order were found.
#[derive(Debug, Clone)]
pub struct Found {
    pub reservation_id: ReservationId,
    pub warehouse_id: WarehouseId,
    pub sender: Party,
    pub kind: OrderKind,
}

impl Order {
    /// The stock for a backordered order has arrived.
    pub fn allocate(&mut self, found: Found, now: Timestamp) {
        if self.status == Status::Backordered {
            self.allocated(found, now);
            self.proceed(now);
        }
    }

    pub(super) fn allocated(&mut self, found: Found, now: Timestamp) {
        let allocated = OrderAllocated {
            order_id: self.id,
            reservation_id: found.reservation_id,
            warehouse_id: found.warehouse_id,
            sender: found.sender,
            kind: found.kind.as_str().to_owned(),
        };
        self.happen(allocated, now);
    }

    /// Stops the saga before it asks for anything more.
    pub fn hold(&mut self, reason: String, now: Timestamp) -> Result<(), OrderError> {
        if let Some(hold) = &self.hold {
            return Err(OrderError::AlreadyOnHold(hold.code));
        }
        if !matches!(self.status, Status::Pending | Status::Backordered | Status::Confirmed) {
            return Err(OrderError::NotHoldable(self.status));
        }
        self.fail(HoldCode::Manual, reason, now);
        Ok(())
    }

    /// Ends what [`Order::hold`] began.
    pub fn release(&mut self, now: Timestamp) -> Result<(), OrderError> {
        match self.hold.as_ref().map(|hold| hold.code) {
            None => Err(OrderError::NotOnHold),
            Some(HoldCode::Manual) => {
                self.resume_if(now, |_| true);
                self.proceed(now);
                Ok(())
            }
            Some(code) => Err(OrderError::NeedsRetry(code)),
        }
    }

    /// Goes on after a failure: asks again for what was refused, waits again for what is late. An unanswered
    /// request is repeated under its own attempt, so that it is never booked twice.
    pub fn retry(&mut self, now: Timestamp) -> Result<(), OrderError> {
        if self.hold.as_ref().is_none_or(|hold| hold.code == HoldCode::Manual) {
            return Err(OrderError::NothingToRetry);
        }
        self.resume_if(now, |_| true);
        self.follow_warehouse(now);
        if let Some((obstacle, why)) = self.obstacle() {
            self.fail(obstacle, why, now);
            return Ok(());
        }
        self.ask_again(now);
        self.proceed(now);
        Ok(())
    }

    /// Repeats what the order waits for and has no answer to. Why it was on hold does not tell: another reason may have
    /// taken the place of that.
    fn ask_again(&mut self, now: Timestamp) {
        match (self.step(), self.fulfilment.shipment, self.fulfilment.pickup) {
            (Step::Shipment, Booking::Asked, _) => {
                self.request_shipment(self.fulfilment.shipment_attempt, now)
            }
            (Step::Pickup, _, Booking::Asked) => self.request_pickup(self.fulfilment.pickup_attempt, now),
            (Step::Pickup, _, Booking::Ending) => self.give_pickup_back("asked once more".to_owned(), now),
            (Step::Cancellation, ..) => {
                self.request_cancellation(self.cancel_reason.clone().unwrap_or_default(), now)
            }
            _ => {}
        }
    }

    /// Cancels at once while no pickup is live; else asks Pickup, which knows whether the driver has begun.
    pub fn cancel(&mut self, reason: String, now: Timestamp) -> Result<(), OrderError> {
        match self.status {
            Status::Pending
            | Status::Backordered
            | Status::Confirmed
            | Status::Processing
            | Status::Exception
                if self.picked_up_at.is_none() =>
            {
                if self.fulfilment.pickup.is_live() {
                    self.request_cancellation(reason, now);
                } else {
                    self.cancel_now(reason, now);
                }
                Ok(())
            }
            Status::Cancelling => Ok(()),
            status => Err(OrderError::NotCancellable(status)),
        }
    }

    pub(super) fn request_cancellation(&mut self, reason: String, now: Timestamp) {
        let f = &self.fulfilment;
        let request = OrderCancelRequested {
            order_id: self.id,
            pickup_id: f.pickup_id,
            attempt: f.pickup_attempt,
            reason,
            pickup_only: false,
        };
        self.happen(request, now);
    }

    pub(super) fn cancel_now(&mut self, reason: String, now: Timestamp) {
        let cancelled =
            OrderCancelled { order_id: self.id, shipment_id: self.fulfilment.shipment_id, reason };
        self.happen(cancelled, now);
    }

    /// Forgets the person it went to; false when nobody knows any more.
    pub fn erase(&mut self, now: Timestamp) -> bool {
        let known = !self.consignee.is_erased() || self.notes.is_some();
        if known {
            self.happen(OrderErased { order_id: self.id }, now);
        }
        known
    }

    /// Staff say where the order stands. Only along legal edges, and with all that belongs to the edge.
    pub fn set_status(&mut self, to: Status, reason: String, now: Timestamp) -> Result<(), OrderError> {
        self.check_settable(to)?;
        let from = self.status;
        let status = to.as_str().to_owned();
        self.happen(OrderStatusSet { order_id: self.id, status, reason: reason.clone() }, now);
        if is_with_carrier(to) && self.fulfilment.driver_may_come() {
            self.give_pickup_back(reason.clone(), now);
        }
        match to {
            Status::Cancelling | Status::Cancelled => self.cancel(reason, now)?,
            Status::Confirmed => {
                self.resume_if(now, |_| true);
                self.happen(OrderConfirmed { order_id: self.id }, now);
                self.proceed(now);
            }
            Status::Processing if from == Status::Cancelling => {
                self.refuse_cancellation(reason, now);
                self.proceed(now);
            }
            Status::Exception => {
                self.travel(Movement::Exception { code: "STAFF".to_owned(), detail: reason }, now)
            }
            Status::Undeliverable => self.travel(Movement::Undeliverable { reason }, now),
            Status::Lost => self.travel(Movement::Lost, now),
            Status::ReturnedToSender => self.travel(Movement::Returned, now),
            Status::Returned | Status::PartiallyReturned => {
                self.happen(
                    OrderReturned { order_id: self.id, status: to.as_str().to_owned(), at: now },
                    now,
                );
            }
            _ => self.advance(to, true, now),
        }
        Ok(())
    }

    fn check_settable(&self, to: Status) -> Result<(), OrderError> {
        let (from, f) = (self.status, &self.fulfilment);
        // An exception ends where it began or further on, never before.
        if !from.may_become(to)
            || self.interrupted.and_then(Status::progress) > to.progress().or(Some(u8::MAX))
        {
            return Err(OrderError::IllegalTransition { from, to });
        }
        let is_refused = match to {
            // Stock decides the first two, Pickup the others.
            Status::Pending | Status::Backordered => true,
            Status::Cancelled => from == Status::Cancelling || f.pickup.is_live(),
            Status::Cancelling => !f.pickup.is_live(),
            _ => false,
        };
        if is_refused {
            return Err(OrderError::NotSettable(to));
        }
        match to {
            Status::Cancelling | Status::Cancelled if self.picked_up_at.is_some() => {
                Err(OrderError::NotCancellable(from))
            }
            Status::Processing if from == Status::Cancelling => Ok(()),
            _ if (to == Status::Processing || is_with_carrier(to)) && !self.is_booked() => {
                Err(OrderError::NotBooked)
            }
            _ => Ok(()),
        }
    }

    /// Whether all is booked that the order still needs.
    fn is_booked(&self) -> bool {
        let f = &self.fulfilment;
        f.has_shipment() && (f.has_pickup() || self.picked_up_at.is_some())
    }

    /// The deadline of that number has passed. One that was met or moved meanwhile is nobody's business.
    pub fn expire(&mut self, deadline_number: u32, now: Timestamp) {
        let f = &self.fulfilment;
        if f.deadline_number != deadline_number || f.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        let (code, reason) = match self.step() {
            Step::Payment => (HoldCode::PaymentMissing, "no payment was recorded in time"),
            Step::Shipment => (HoldCode::ShipmentUnanswered, "Shipping has not answered in time"),
            Step::Pickup => (HoldCode::PickupUnanswered, "Pickup has not answered in time"),
            Step::Collection => {
                (HoldCode::PickupOverdue, "the parcels were not collected within a day of the window")
            }
            Step::Delivery => {
                (HoldCode::DeliveryOverdue, "the parcels were not delivered within three days of the promise")
            }
            Step::Return => (HoldCode::ReturnOverdue, "the parcels have not come back within thirty days"),
            Step::Cancellation => {
                (HoldCode::CancellationUnanswered, "Pickup has not answered the cancellation in time")
            }
            Step::Stock | Step::Closed => return,
        };
        self.fail(code, reason.to_owned(), now);
    }

    /// What was left behind is not forgotten for what happens to the rest, nor for what another driver leaves behind: an
    /// order is on hold for all of it, and a retry takes up all of it.
    pub(super) fn fail(&mut self, code: HoldCode, reason: String, now: Timestamp) {
        let left_behind = HoldCode::PartlyCollected;
        let (code, reason) = match &self.hold {
            Some(hold) if hold.code == left_behind || code == left_behind => {
                // It is told once more.
                if hold.reason.contains(&reason) {
                    return;
                }
                (left_behind, format!("{}; besides, {reason}", hold.reason))
            }
            _ => (code, reason),
        };
        self.happen(OrderHeld { order_id: self.id, code: code.as_str().to_owned(), reason }, now);
    }

    /// Ends the hold if its cause is among those that are over now.
    pub(super) fn resume_if(&mut self, now: Timestamp, over: impl Fn(HoldCode) -> bool) {
        if self.hold.as_ref().is_some_and(|hold| over(hold.code)) {
            self.happen(OrderResumed { order_id: self.id }, now);
        }
    }
}

/// Whether somebody must have fetched the parcels of an order that stands there.
const fn is_with_carrier(status: Status) -> bool {
    matches!(
        status,
        Status::PickedUp | Status::InTransit | Status::Delivered | Status::Undeliverable | Status::Lost
    )
}
