//! The two bookings of an order, and what Shipping answers. Answers may come late, twice, after a
//! cancellation: each is compensated or ignored, none is an error.

use jiff::Timestamp;
use quenty_contracts::order::{OrderCancelRefused, OrderProcessingStarted, ShipmentRequested};
use quenty_kernel::id::ShipmentId;

use super::{
    Movement, Order, OrderKind, PaymentStatus, Status,
    facts::{BookingOf, OrderBookingEnded, OrderPromisedAnew, OrderShipmentBooked},
    status::HoldCode,
    totals::declared,
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
        /// Since when the carrier has the parcels, in an answer that is told again.
        picked_up_at: Option<Timestamp>,
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
        /// When it is promised for now, where that has changed.
        promised_at: Option<Timestamp>,
    },
}

impl Order {
    /// Asks for the next booking; when both are there, processing begins.
    pub(super) fn book(&mut self, now: Timestamp) {
        if !self.is_before_collection() && !self.is_stranded() {
            return;
        }
        match (self.fulfilment.shipment, self.fulfilment.pickup) {
            (Booking::Open, _) => self.request_shipment(self.fulfilment.shipment_attempt + 1, now),
            (Booking::Booked, Booking::Open) => {
                self.request_pickup(self.fulfilment.pickup_attempt + 1, now);
            }
            (Booking::Booked, Booking::Booked) if self.status == Status::Confirmed => {
                self.start_processing(now)
            }
            _ => {}
        }
    }

    pub(super) fn request_shipment(&mut self, attempt: u32, now: Timestamp) {
        let owes = self.payment_status == PaymentStatus::CodPending;
        let request = ShipmentRequested {
            order_id: self.id,
            company_id: self.company_id,
            attempt,
            kind: self.kind.as_str().to_owned(),
            reference: self.external_reference.clone(),
            sender: self.sender.clone(),
            consignee: self.consignee.clone(),
            parcels: self.parcels.clone(),
            // What was placed adds up.
            items: declared(&self.items, &self.lines, &self.totals).unwrap_or_else(|_| self.items.clone()),
            // A discount of the sale, which is never more than the subtotal, is no part of the value for customs.
            declared_value: self
                .totals
                .subtotal
                .checked_sub(self.totals.discount)
                .unwrap_or(self.totals.subtotal),
            cash_on_delivery: owes.then_some(self.totals.total),
            // Delivered at place: the consignee pays duties, as nothing of the order does (Incoterms 2020).
            incoterm: (self.kind == OrderKind::International).then(|| "DAP".to_owned()),
            ready_on: self.wanted_pickup.as_ref().and_then(|wanted| wanted.date),
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
            ShipmentNews::Booked {
                shipment_id,
                attempt,
                carrier,
                tracking_number,
                promised_at,
                picked_up_at,
            } => {
                let booked = OrderShipmentBooked {
                    order_id: self.id,
                    shipment_id,
                    attempt,
                    carrier,
                    tracking_number,
                    promised_at,
                };
                self.shipment_booked(booked, picked_up_at, now);
            }
            ShipmentNews::Rejected { attempt, code, detail } => {
                if self.fulfilment.shipment == Booking::Asked && attempt == self.fulfilment.shipment_attempt {
                    self.end_booking(BookingOf::Shipment, HoldCode::ShipmentRejected, code, detail, now);
                }
            }
            ShipmentNews::Voided { shipment_id, reason } => {
                if self.fulfilment.has_shipment() && self.fulfilment.shipment_id == Some(shipment_id) {
                    self.lose_shipment(reason, now);
                }
            }
            ShipmentNews::Moved { shipment_id, movement, at, promised_at } => {
                if self.fulfilment.shipment_id == Some(shipment_id) {
                    if let Some(promised_at) = promised_at {
                        self.happen(OrderPromisedAnew { order_id: self.id, promised_at }, now);
                    }
                    self.travel_from(movement, at, now);
                }
            }
        }
    }

    fn shipment_booked(
        &mut self,
        booked: OrderShipmentBooked,
        picked_up_at: Option<Timestamp>,
        now: Timestamp,
    ) {
        let f = &self.fulfilment;
        // Shipping voids what a cancelled order had asked for; its parcels may have left before.
        if f.shipment == Booking::Asked && f.shipment_attempt == booked.attempt {
            self.happen(booked, now);
            self.resume_if(now, |code| {
                matches!(code, HoldCode::ShipmentUnanswered | HoldCode::ShipmentRejected)
            });
            // Nobody has to fetch what the carrier has, whatever keeps it there.
            if let Some(at) = picked_up_at {
                self.travel_from(Movement::PickedUp, at, now);
            }
            self.proceed(now);
        }
    }

    /// Parcels that no shipment takes on are not to be collected; if the driver is faster, they wait for another
    /// shipment where they are. Today's Shipping voids an order's shipment only once the order is cancelled: this is
    /// for what one of another version has voided.
    fn lose_shipment(&mut self, reason: String, now: Timestamp) {
        if self.is_before_collection() {
            self.give_pickup_back(format!("the shipment is void: {reason}"), now);
        } else if !matches!(self.status, Status::Cancelling | Status::PickedUp | Status::Exception) {
            return;
        }
        self.end_booking(BookingOf::Shipment, HoldCode::ShipmentVoided, "VOIDED".to_owned(), reason, now);
    }

    pub(super) fn end_booking(
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
            _ if (self.is_before_collection() || self.is_stranded())
                && self.hold.as_ref().is_none_or(|held| held.code != HoldCode::Manual) =>
            {
                self.fail(hold, reason, now);
            }
            _ => {}
        }
    }
}
