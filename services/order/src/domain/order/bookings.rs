//! The two bookings of an order, and what Shipping and Pickup answer. Answers may come late, twice, after
//! a cancellation: each is compensated or ignored, none is an error.

use jiff::Timestamp;
use quenty_contracts::order::{
    OrderCancelRefused, OrderCancelRequested, OrderCancelled, OrderProcessingStarted, PickupRequested,
    ShipmentRequested,
};
use quenty_kernel::id::{PickupId, ShipmentId};

use super::{
    Movement, Order, OrderKind, PaymentMethod, Status,
    facts::{BookingOf, OrderBookingEnded, OrderPickupBooked, OrderShipmentBooked},
    status::HoldCode,
};
use crate::domain::fulfilment::Booking;

/// What Shipping tells of a shipment.
#[derive(Debug, Clone, PartialEq)]
pub enum ShipmentNews {
    Booked {
        shipment_id: ShipmentId,
        attempt: u32,
        carrier: String,
        tracking_number: String,
        promised_at: Timestamp,
    },
    Rejected {
        attempt: u32,
        code: String,
        detail: String,
    },
    Voided {
        shipment_id: ShipmentId,
        reason: String,
    },
    Moved {
        shipment_id: ShipmentId,
        movement: Movement,
        at: Timestamp,
    },
}

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
    /// The driver is assigned, under way, there, or came in vain: for the timeline.
    Noted,
}

impl Order {
    /// Asks for the next booking; when both are there, processing begins.
    pub(super) fn book(&mut self, now: Timestamp) {
        if !self.is_before_collection() {
            return;
        }
        match (self.fulfilment.shipment, self.fulfilment.pickup) {
            (Booking::Open, _) => self.request_shipment(self.fulfilment.shipment_attempt + 1, now),
            (Booking::Booked, Booking::Open) => self.request_pickup(self.fulfilment.pickup_attempt + 1, now),
            (Booking::Booked, Booking::Booked) if self.status == Status::Confirmed => {
                self.start_processing(now)
            }
            _ => {}
        }
    }

    pub(super) fn request_shipment(&mut self, attempt: u32, now: Timestamp) {
        let owes = self.payment_method == PaymentMethod::CashOnDelivery;
        let request = ShipmentRequested {
            order_id: self.id,
            company_id: self.company_id,
            attempt,
            kind: self.kind.as_str().to_owned(),
            reference: self.external_reference.clone(),
            sender: self.sender.clone(),
            consignee: self.consignee.clone(),
            parcels: self.parcels.clone(),
            items: self.items.clone(),
            declared_value: self.totals.subtotal,
            cash_on_delivery: owes.then_some(self.totals.total),
            // Delivered at place: the consignee pays duties, as nothing of the order does (Incoterms 2020).
            incoterm: (self.kind == OrderKind::International).then(|| "DAP".to_owned()),
        };
        self.happen(request, now);
    }

    pub(super) fn request_pickup(&mut self, attempt: u32, now: Timestamp) {
        let (Some(shipment_id), Some(tracking_number)) =
            (self.fulfilment.shipment_id, self.fulfilment.tracking_number.clone())
        else {
            return;
        };
        let wanted = self.wanted_pickup.as_ref();
        let usual = if self.kind == OrderKind::Express { "express" } else { "scheduled" };
        let request = PickupRequested {
            order_id: self.id,
            company_id: self.company_id,
            attempt,
            kind: wanted.map_or(usual, |wanted| &wanted.kind).to_owned(),
            date: wanted.and_then(|wanted| wanted.date),
            slot: wanted.and_then(|wanted| wanted.slot.clone()),
            sender: self.sender.clone(),
            parcels: self.parcels.clone(),
            insured_value: None,
            shipment_id,
            tracking_number,
        };
        self.happen(request, now);
    }

    pub(super) fn start_processing(&mut self, now: Timestamp) {
        let f = &self.fulfilment;
        let started = OrderProcessingStarted {
            order_id: self.id,
            shipment_id: f.shipment_id,
            tracking_number: f.tracking_number.clone(),
            pickup_id: f.pickup_id,
            pickup_window_start: f.window_start,
            pickup_window_end: f.window_end,
            promised_at: f.promised_at,
        };
        self.happen(started, now);
    }

    pub(super) fn refuse_cancellation(&mut self, reason: String, now: Timestamp) {
        self.resume_if(now, |_| true);
        self.happen(OrderCancelRefused { order_id: self.id, reason }, now);
    }

    pub fn hear_shipment(&mut self, news: ShipmentNews, now: Timestamp) {
        match news {
            ShipmentNews::Booked { shipment_id, attempt, carrier, tracking_number, promised_at } => {
                let booked = OrderShipmentBooked {
                    order_id: self.id,
                    shipment_id,
                    attempt,
                    carrier,
                    tracking_number,
                    promised_at,
                };
                self.shipment_booked(booked, now);
            }
            ShipmentNews::Rejected { attempt, code, detail } => {
                if self.fulfilment.shipment == Booking::Asked && attempt == self.fulfilment.shipment_attempt {
                    self.end_booking(BookingOf::Shipment, HoldCode::ShipmentRejected, code, detail, now);
                }
            }
            ShipmentNews::Voided { shipment_id, reason } => {
                let own = self.fulfilment.has_shipment() && self.fulfilment.shipment_id == Some(shipment_id);
                if own && (self.is_before_collection() || self.status == Status::Cancelling) {
                    self.end_booking(
                        BookingOf::Shipment,
                        HoldCode::ShipmentVoided,
                        "VOIDED".to_owned(),
                        reason,
                        now,
                    );
                }
            }
            ShipmentNews::Moved { shipment_id, movement, at } => {
                if self.fulfilment.shipment_id == Some(shipment_id) {
                    self.travel_from(movement, at, now);
                }
            }
        }
    }

    fn shipment_booked(&mut self, booked: OrderShipmentBooked, now: Timestamp) {
        let f = &self.fulfilment;
        if self.status == Status::Cancelled && f.shipment_id.is_none() {
            // Told again, this time with what there is to void.
            let reason = self.cancel_reason.clone().unwrap_or_default();
            self.happen(
                OrderCancelled { order_id: self.id, shipment_id: Some(booked.shipment_id), reason },
                now,
            );
        } else if f.shipment == Booking::Asked
            && f.shipment_attempt == booked.attempt
            && self.status != Status::Cancelled
        {
            self.happen(booked, now);
            self.resume_if(now, |code| {
                matches!(code, HoldCode::ShipmentUnanswered | HoldCode::ShipmentRejected)
            });
            self.proceed(now);
        }
    }

    pub fn hear_pickup(&mut self, news: PickupNews, now: Timestamp) {
        match news {
            PickupNews::Scheduled { pickup_id, attempt, window_start, window_end } => {
                let booked = OrderPickupBooked { order_id: self.id, pickup_id, window_start, window_end };
                self.pickup_scheduled(booked, attempt, now);
            }
            PickupNews::Rejected { attempt, code, detail }
                if self.fulfilment.pickup == Booking::Asked && attempt == self.fulfilment.pickup_attempt =>
            {
                self.end_booking(BookingOf::Pickup, HoldCode::PickupRejected, code, detail, now);
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
            PickupNews::Completed { pickup_id, at } if self.is_own_pickup(pickup_id) => {
                self.travel_from(Movement::PickedUp, at, now)
            }
            PickupNews::Abandoned { pickup_id, reason } if self.is_own_pickup(pickup_id) => {
                self.end_booking(
                    BookingOf::Pickup,
                    HoldCode::PickupAbandoned,
                    "ABANDONED".to_owned(),
                    reason,
                    now,
                );
            }
            PickupNews::Cancelled { pickup_id, reason }
                if self.is_own_pickup(pickup_id) || self.is_answer_to_cancelling() =>
            {
                self.end_booking(
                    BookingOf::Pickup,
                    HoldCode::PickupCancelled,
                    "CANCELLED".to_owned(),
                    reason,
                    now,
                );
            }
            PickupNews::CancelRefused { pickup_id, reason }
                if self.status == Status::Cancelling && self.is_own_pickup(pickup_id) =>
            {
                self.refuse_cancellation(reason, now);
                self.proceed(now);
            }
            _ => {}
        }
    }

    /// Whether this is the pickup that the order still waits for.
    fn is_own_pickup(&self, pickup: PickupId) -> bool {
        let waits = self.is_before_collection() || self.status == Status::Cancelling;
        waits && self.fulfilment.has_pickup() && self.fulfilment.pickup_id == Some(pickup)
    }

    /// Whether Pickup can only mean the pickup that was asked for and never scheduled.
    fn is_answer_to_cancelling(&self) -> bool {
        self.status == Status::Cancelling && self.fulfilment.pickup == Booking::Asked
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
        }
    }

    /// A pickup was scheduled after all: asks again to cancel it, now by its id.
    fn take_back(&mut self, pickup: PickupId, attempt: u32, now: Timestamp) {
        let reason = self.cancel_reason.clone().unwrap_or_default();
        self.happen(
            OrderCancelRequested { order_id: self.id, pickup_id: Some(pickup), attempt, reason },
            now,
        );
    }

    fn end_booking(
        &mut self,
        booking: BookingOf,
        hold: HoldCode,
        code: String,
        detail: String,
        now: Timestamp,
    ) {
        let reason = format!("{code}: {detail}");
        self.happen(OrderBookingEnded { order_id: self.id, booking, code, detail }, now);
        match self.status {
            Status::Cancelling if booking == BookingOf::Pickup => {
                let reason = self.cancel_reason.clone().unwrap_or_default();
                self.cancel_now(reason, now);
            }
            // What a person decided to hold stays on hold for that reason; it is asked for again afterwards.
            _ if self.is_before_collection()
                && self.hold.as_ref().is_none_or(|held| held.code != HoldCode::Manual) =>
            {
                self.fail(hold, reason, now);
            }
            _ => {}
        }
    }
}
