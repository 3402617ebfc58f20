//! The fulfilment saga of one order: what it waits for, since which attempt, until when
//! (design/services/order.md, "Fulfilment saga"). It changes only with its order's facts.

use jiff::{SignedDuration, Timestamp};
use quenty_kernel::id::{PickupId, ShipmentId};

/// A prepaid order waits this long for its payment.
const PAID_WITHIN: SignedDuration = SignedDuration::from_hours(24);
/// Shipping and Pickup answer a request within this.
const BOOKED_WITHIN: SignedDuration = SignedDuration::from_mins(15);
/// The driver comes at most this long after the window's end.
const COLLECTED_AFTER_WINDOW: SignedDuration = SignedDuration::from_hours(24);
/// The parcel arrives at most this long after the promised moment.
const DELIVERED_AFTER_PROMISE: SignedDuration = SignedDuration::from_hours(3 * 24);
/// What could not be delivered is back within this.
const RETURNED_WITHIN: SignedDuration = SignedDuration::from_hours(30 * 24);

quenty_kernel::words! {
    /// What the saga waits for.
    pub enum Step ("step") {
        Stock = "stock",
        Payment = "payment",
        Shipment = "shipment",
        Pickup = "pickup",
        Collection = "collection",
        Delivery = "delivery",
        Return = "return",
        Cancellation = "cancellation",
        Closed = "closed",
    }
}

quenty_kernel::words! {
    /// A booking at another service; `open` is not asked for, refused, given up, or done; `ending` is given back and
    /// not answered yet.
    pub enum Booking ("booking") {
        Open = "open",
        Asked = "asked",
        Booked = "booked",
        Ending = "ending",
    }
}

impl Booking {
    /// Whether the other service holds, or may hold, something for us.
    #[must_use]
    pub const fn is_live(self) -> bool {
        !matches!(self, Self::Open)
    }
}

/// The saga's own state, a part of the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fulfilment {
    pub shipment: Booking,
    pub shipment_attempt: u32,
    pub shipment_id: Option<ShipmentId>,
    pub carrier: Option<String>,
    pub tracking_number: Option<String>,
    pub promised_at: Option<Timestamp>,
    pub pickup: Booking,
    pub pickup_attempt: u32,
    pub pickup_id: Option<PickupId>,
    pub window_start: Option<Timestamp>,
    pub window_end: Option<Timestamp>,
    pub deadline: Option<Timestamp>,
    /// Counts the deadlines, so that each has a task of its own.
    pub deadline_number: u32,
}

impl Default for Fulfilment {
    fn default() -> Self {
        Self {
            shipment: Booking::Open,
            shipment_attempt: 0,
            shipment_id: None,
            carrier: None,
            tracking_number: None,
            promised_at: None,
            pickup: Booking::Open,
            pickup_attempt: 0,
            pickup_id: None,
            window_start: None,
            window_end: None,
            deadline: None,
            deadline_number: 0,
        }
    }
}

impl Fulfilment {
    /// Until when the saga waits for `step`, if it begins to wait now. Stock comes when it comes.
    #[must_use]
    pub fn deadline_of(&self, step: Step, now: Timestamp) -> Option<Timestamp> {
        let (from, within) = match step {
            Step::Stock | Step::Closed => return None,
            Step::Payment => (now, PAID_WITHIN),
            Step::Shipment | Step::Pickup | Step::Cancellation => (now, BOOKED_WITHIN),
            Step::Collection => (self.window_end.map_or(now, |end| end.max(now)), COLLECTED_AFTER_WINDOW),
            Step::Delivery => {
                (self.promised_at.map_or(now, |promise| promise.max(now)), DELIVERED_AFTER_PROMISE)
            }
            Step::Return => (now, RETURNED_WITHIN),
        };
        from.checked_add(within).ok()
    }

    #[must_use]
    pub fn has_shipment(&self) -> bool {
        self.shipment == Booking::Booked
    }

    #[must_use]
    pub fn has_pickup(&self) -> bool {
        self.pickup == Booking::Booked
    }

    /// Whether a driver may come whom nobody has called off.
    #[must_use]
    pub fn driver_may_come(&self) -> bool {
        matches!(self.pickup, Booking::Asked | Booking::Booked)
    }

    pub(super) fn set_deadline(&mut self, deadline: Option<Timestamp>) {
        self.deadline = deadline;
        self.deadline_number += u32::from(deadline.is_some());
    }

    /// The attempt of the step that asks another service.
    #[must_use]
    pub fn attempt(&self, step: Step) -> u32 {
        match step {
            Step::Shipment => self.shipment_attempt,
            Step::Pickup | Step::Collection | Step::Cancellation => self.pickup_attempt,
            _ => 1,
        }
    }

    pub(super) fn end_shipment(&mut self) {
        self.shipment = Booking::Open;
        self.shipment_id = None;
        self.carrier = None;
        self.tracking_number = None;
        self.promised_at = None;
    }

    pub(super) fn end_pickup(&mut self) {
        self.pickup = Booking::Open;
        self.pickup_id = None;
        self.window_start = None;
        self.window_end = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn deadlines_are_those_of_the_design() {
        let now = at("2026-03-02T12:00:00Z");
        let fulfilment = Fulfilment {
            window_end: Some(at("2026-03-03T14:00:00Z")),
            promised_at: Some(at("2026-03-05T20:00:00Z")),
            ..Fulfilment::default()
        };
        let due = |step| fulfilment.deadline_of(step, now);
        assert_eq!(due(Step::Payment), Some(at("2026-03-03T12:00:00Z")));
        assert_eq!(due(Step::Shipment), Some(at("2026-03-02T12:15:00Z")));
        assert_eq!(due(Step::Pickup), Some(at("2026-03-02T12:15:00Z")));
        assert_eq!(due(Step::Collection), Some(at("2026-03-04T14:00:00Z")));
        assert_eq!(due(Step::Delivery), Some(at("2026-03-08T20:00:00Z")));
        assert_eq!(due(Step::Stock), None);
        assert_eq!(due(Step::Closed), None);
    }

    #[test]
    fn a_deadline_that_begins_after_the_promise_counts_from_now() {
        let now = at("2026-03-09T12:00:00Z");
        let fulfilment =
            Fulfilment { promised_at: Some(at("2026-03-05T20:00:00Z")), ..Fulfilment::default() };
        assert_eq!(fulfilment.deadline_of(Step::Delivery, now), Some(at("2026-03-12T12:00:00Z")));
    }
}
