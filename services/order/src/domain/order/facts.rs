//! All facts of one order: the published ones, and those that only its own history needs.

use jiff::Timestamp;
use quenty_contracts::{
    order::{
        OrderAllocated, OrderBackordered, OrderCancelRefused, OrderCancelRequested, OrderCancelled,
        OrderConfirmed, OrderDelivered, OrderDeparted, OrderExceptionRaised, OrderExceptionResolved,
        OrderHeld, OrderLost, OrderPaid, OrderPickedUp, OrderPlaced, OrderProcessingStarted, OrderResumed,
        OrderReturned, OrderReturnedToSender, OrderUndeliverable, OrderUpdated, PickupRequested,
        ShipmentRequested, WantedPickup,
    },
    party::{Item, Parcel},
};
use quenty_kernel::{
    Event,
    id::{OrderId, PickupId, ReturnId, ShipmentId},
    money::Money,
};
use serde::{Deserialize, Serialize};

/// Shipping booked the shipment that the order asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderShipmentBooked {
    pub order_id: OrderId,
    pub shipment_id: ShipmentId,
    pub attempt: u32,
    pub carrier: String,
    pub tracking_number: String,
    pub promised_at: Timestamp,
}

impl Event for OrderShipmentBooked {
    const TYPE: &'static str = "quenty.order.order.shipment_booked.v1";
    const PUBLISHED: bool = false;
}

/// Once the parcels were collected, Shipping promised them for another moment than before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderPromisedAnew {
    pub order_id: OrderId,
    pub promised_at: Timestamp,
}

impl Event for OrderPromisedAnew {
    const TYPE: &'static str = "quenty.order.order.promised_anew.v1";
    const PUBLISHED: bool = false;
}

/// Pickup promised a driver, or another window than before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderPickupBooked {
    pub order_id: OrderId,
    pub pickup_id: PickupId,
    pub window_start: Timestamp,
    pub window_end: Timestamp,
}

impl Event for OrderPickupBooked {
    const TYPE: &'static str = "quenty.order.order.pickup_booked.v1";
    const PUBLISHED: bool = false;
}

/// Which of the two bookings of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BookingOf {
    Shipment,
    Pickup,
}

/// The code of a pickup that ended because the driver has the parcels.
pub(super) const COMPLETED: &str = "COMPLETED";

/// A booking was refused, or is no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderBookingEnded {
    pub order_id: OrderId,
    pub booking: BookingOf,
    pub code: String,
    pub detail: String,
}

impl Event for OrderBookingEnded {
    const TYPE: &'static str = "quenty.order.order.booking_ended.v1";
    const PUBLISHED: bool = false;
    const PERSONAL: &'static [&'static str] = &["detail"];
}

/// The driver had begun: the pickup that was given back goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderPickupKept {
    pub order_id: OrderId,
    pub pickup_id: PickupId,
    pub reason: String,
}

impl Event for OrderPickupKept {
    const TYPE: &'static str = "quenty.order.order.pickup_kept.v1";
    const PUBLISHED: bool = false;
    const PERSONAL: &'static [&'static str] = &["reason"];
}

/// Other lines are other parcels and another declaration at customs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderRepacked {
    pub order_id: OrderId,
    pub items: Vec<Item>,
    pub parcels: Vec<Parcel>,
}

impl Event for OrderRepacked {
    const TYPE: &'static str = "quenty.order.order.repacked.v1";
    const PUBLISHED: bool = false;
}

/// The merchant wants the driver at another time than before; at any that suits, when nothing is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderPickupWanted {
    pub order_id: OrderId,
    pub wanted_pickup: Option<WantedPickup>,
}

impl Event for OrderPickupWanted {
    const TYPE: &'static str = "quenty.order.order.pickup_wanted.v1";
    const PUBLISHED: bool = false;
}

/// Nobody knows any more whom it went to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderErased {
    pub order_id: OrderId,
}

impl Event for OrderErased {
    const TYPE: &'static str = "quenty.order.order.erased.v1";
    const PUBLISHED: bool = false;
}

/// Staff said where the order stands, and why; what follows from it are facts of their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderStatusSet {
    pub order_id: OrderId,
    pub status: String,
    pub reason: String,
}

impl Event for OrderStatusSet {
    const TYPE: &'static str = "quenty.order.order.status_set.v1";
    const PUBLISHED: bool = false;
    const PERSONAL: &'static [&'static str] = &["reason"];
}

/// Money was paid back, or paid for another order: for goods that came back, or of an order that nobody got.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderRefunded {
    pub order_id: OrderId,
    /// Absent when it was recorded by hand.
    pub return_id: Option<ReturnId>,
    pub amount: Money,
    /// The refund's own name, where it was recorded by hand.
    pub reference: Option<String>,
    pub payment_status: String,
}

impl Event for OrderRefunded {
    const TYPE: &'static str = "quenty.order.order.refunded.v1";
    const PUBLISHED: bool = false;
}

quenty_kernel::facts! {
    /// The facts of one order.
    pub enum OrderFact {
        Placed(OrderPlaced),
        Updated(OrderUpdated),
        Repacked(OrderRepacked),
        PickupWanted(OrderPickupWanted),
        Backordered(OrderBackordered),
        Allocated(OrderAllocated),
        Paid(OrderPaid),
        Confirmed(OrderConfirmed),
        Held(OrderHeld),
        Resumed(OrderResumed),
        ShipmentRequested(ShipmentRequested),
        ShipmentBooked(OrderShipmentBooked),
        PromisedAnew(OrderPromisedAnew),
        PickupRequested(PickupRequested),
        PickupBooked(OrderPickupBooked),
        PickupKept(OrderPickupKept),
        BookingEnded(OrderBookingEnded),
        ProcessingStarted(OrderProcessingStarted),
        StatusSet(OrderStatusSet),
        CancelRequested(OrderCancelRequested),
        Cancelled(OrderCancelled),
        CancelRefused(OrderCancelRefused),
        PickedUp(OrderPickedUp),
        Departed(OrderDeparted),
        ExceptionRaised(OrderExceptionRaised),
        ExceptionResolved(OrderExceptionResolved),
        Delivered(OrderDelivered),
        Undeliverable(OrderUndeliverable),
        Lost(OrderLost),
        ReturnedToSender(OrderReturnedToSender),
        Refunded(OrderRefunded),
        Erased(OrderErased),
        Returned(OrderReturned),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_refund_of_before_refunds_by_hand_still_reads() {
        let (order_id, return_id) = (OrderId::new(), ReturnId::new());
        let told = json!({"order_id": order_id, "return_id": return_id,
            "amount": {"amount": "40000.00", "currency": "COP"}, "payment_status": "partially_refunded"});
        let refunded: OrderRefunded = serde_json::from_value(told).unwrap();
        assert_eq!((refunded.return_id, refunded.reference), (Some(return_id), None));
    }
}
