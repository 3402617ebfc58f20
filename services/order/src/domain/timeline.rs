//! What a person reads of an order's way: one line for each happening.

use jiff::Timestamp;

use super::order::{OrderFact, Status};

/// Who tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Order,
    Pickup,
    Shipping,
    Returns,
}

impl Source {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Pickup => "pickup",
            Self::Shipping => "shipping",
            Self::Returns => "returns",
        }
    }
}

/// One line of the timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening {
    pub at: Timestamp,
    pub source: Source,
    pub code: &'static str,
    pub text: String,
    pub place: Option<String>,
}

impl Happening {
    #[must_use]
    pub fn new(source: Source, code: &'static str, text: impl Into<String>, at: Timestamp) -> Self {
        Self { at, source, code, text: text.into(), place: None }
    }

    #[must_use]
    pub fn in_place(self, place: Option<String>) -> Self {
        Self { place, ..self }
    }
}

/// Lines that hold what somebody wrote: of a person or a door, as likely as not.
pub const WRITTEN: [&str; 22] = [
    "cancel_refused",
    "cancelled",
    "driver_unassigned",
    "exception_raised",
    "held",
    "held_by_customs",
    "pickup_abandoned",
    "pickup_cancelled",
    "pickup_completed",
    "pickup_failed",
    "pickup_given_back",
    "pickup_rejected",
    "return_approved",
    "return_cancelled",
    "return_disputed",
    "return_rejected",
    "shipment_exception",
    "shipment_rejected",
    "shipment_undeliverable",
    "shipment_voided",
    "status_set",
    "undeliverable",
];

/// What the order itself has to say about a fact; nothing where others say it better.
#[must_use]
pub fn of_fact(fact: &OrderFact, now: Timestamp) -> Option<Happening> {
    let (code, text, at) = match fact {
        OrderFact::Placed(placed) => (
            "placed",
            format!("Order placed: {} for {}", count(placed.lines.len(), "line"), placed.totals.total),
            now,
        ),
        OrderFact::Updated(_) => ("updated", "Order changed".to_owned(), now),
        OrderFact::PickupWanted(_) => {
            ("pickup_wanted", "The driver is wanted at another time".to_owned(), now)
        }
        OrderFact::Backordered(_) => ("backordered", "Waiting for stock".to_owned(), now),
        OrderFact::Allocated(allocated) => {
            ("allocated", format!("Stock is reserved in {}", allocated.sender.address.city()), now)
        }
        OrderFact::Paid(paid) => ("paid", format!("Payment of {} recorded", paid.amount), now),
        OrderFact::Confirmed(_) => ("confirmed", "Order confirmed".to_owned(), now),
        OrderFact::Held(held) => ("held", format!("On hold: {}", held.reason), now),
        OrderFact::Resumed(_) => ("resumed", "No longer on hold".to_owned(), now),
        OrderFact::ShipmentRequested(_) => ("shipment_requested", "Shipment asked for".to_owned(), now),
        OrderFact::PickupRequested(_) => ("pickup_requested", "Pickup asked for".to_owned(), now),
        OrderFact::ProcessingStarted(_) => {
            ("processing_started", "Shipment and pickup are booked".to_owned(), now)
        }
        OrderFact::StatusSet(set) => {
            ("status_set", format!("Set to {} by hand: {}", set.status.replace('_', " "), set.reason), now)
        }
        OrderFact::CancelRequested(requested) if requested.pickup_only => {
            ("pickup_given_back", format!("The driver need not come: {}", requested.reason), now)
        }
        OrderFact::CancelRequested(_) => ("cancel_requested", "Cancellation asked for".to_owned(), now),
        OrderFact::Cancelled(cancelled) => {
            ("cancelled", format!("Order cancelled: {}", cancelled.reason), now)
        }
        OrderFact::CancelRefused(refused) => {
            ("cancel_refused", format!("Too late to cancel: {}", refused.reason), now)
        }
        OrderFact::PickedUp(picked_up) => ("picked_up", "Order handed over".to_owned(), picked_up.at),
        OrderFact::Delivered(delivered) => ("delivered", "Order delivered".to_owned(), delivered.at),
        OrderFact::ExceptionRaised(raised) => {
            ("exception_raised", format!("Problem: {}", raised.detail), now)
        }
        OrderFact::ExceptionResolved(_) => ("exception_resolved", "Problem solved".to_owned(), now),
        OrderFact::Undeliverable(undeliverable) => {
            ("undeliverable", format!("Cannot be delivered: {}", undeliverable.reason), now)
        }
        OrderFact::Lost(_) => ("lost", "Parcels lost".to_owned(), now),
        OrderFact::ReturnedToSender(returned) => {
            ("returned_to_sender", "Parcels back in the warehouse".to_owned(), returned.at)
        }
        OrderFact::Erased(_) => ("erased", "The person it went to was erased".to_owned(), now),
        OrderFact::Returned(returned) if returned.status == Status::PartiallyReturned.as_str() => {
            ("partially_returned", "Sent back by the consignee in part".to_owned(), returned.at)
        }
        OrderFact::Returned(returned) => ("returned", "Sent back by the consignee".to_owned(), returned.at),
        OrderFact::Refunded(refunded) if refunded.return_id.is_none() => {
            ("refunded", format!("{} paid back", refunded.amount), now)
        }
        OrderFact::ShipmentBooked(_)
        | OrderFact::PromisedAnew(_)
        | OrderFact::PickupBooked(_)
        | OrderFact::PickupKept(_)
        | OrderFact::Repacked(_)
        | OrderFact::BookingEnded(_)
        | OrderFact::Departed(_)
        | OrderFact::Refunded(_) => return None,
    };
    Some(Happening::new(Source::Order, code, text, at))
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
