//! What can happen to a shipment: the published facts, and four that stay in our journal.

use jiff::Timestamp;
use quenty_contracts::{
    party::Party,
    shipping::{
        CashCollected, ShipmentBooked, ShipmentCreated, ShipmentDelivered, ShipmentDeparted,
        ShipmentExceptionRaised, ShipmentExceptionResolved, ShipmentHeldByCustoms, ShipmentLost,
        ShipmentOutForDelivery, ShipmentPickedUp, ShipmentRejected, ShipmentReleasedByCustoms,
        ShipmentReturned, ShipmentUndeliverable, ShipmentVoided, ShipmentsErased,
    },
};
use quenty_kernel::{Event, id::ShipmentId};
use serde::{Deserialize, Serialize};

use crate::domain::tariff::Offer;

quenty_kernel::facts! {
    pub enum ShipmentFact {
        Created(ShipmentCreated),
        BookingStarted(ShipmentBookingStarted),
        Booked(ShipmentBooked),
        Rejected(ShipmentRejected),
        Voided(ShipmentVoided),
        ConsigneeCorrected(ShipmentConsigneeCorrected),
        Scanned(ShipmentScanned),
        PickedUp(ShipmentPickedUp),
        Departed(ShipmentDeparted),
        HeldByCustoms(ShipmentHeldByCustoms),
        ReleasedByCustoms(ShipmentReleasedByCustoms),
        ExceptionRaised(ShipmentExceptionRaised),
        ExceptionResolved(ShipmentExceptionResolved),
        OutForDelivery(ShipmentOutForDelivery),
        CashCollected(CashCollected),
        Delivered(ShipmentDelivered),
        Undeliverable(ShipmentUndeliverable),
        Returned(ShipmentReturned),
        Lost(ShipmentLost),
        Erased(ShipmentErased),
    }
}

quenty_kernel::facts! {
    /// What is told of all shipments of a person.
    pub enum ErasureFact { Erased(ShipmentsErased) }
}

/// Nobody knows any more who sent or got it; who of them was the merchant stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShipmentErased {
    pub shipment_id: ShipmentId,
}

impl Event for ShipmentErased {
    const TYPE: &'static str = "quenty.shipping.shipment.erased.v1";
    const PUBLISHED: bool = false;
}

/// An offer was chosen, if there is one; once more when its promise was renewed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShipmentBookingStarted {
    pub shipment_id: ShipmentId,
    pub offer: Option<Offer>,
}

impl Event for ShipmentBookingStarted {
    const TYPE: &'static str = "quenty.shipping.shipment.booking_started.v1";
    const PUBLISHED: bool = false;
}

/// The order's consignee changed before the parcels were collected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShipmentConsigneeCorrected {
    pub shipment_id: ShipmentId,
    pub consignee: Party,
}

impl Event for ShipmentConsigneeCorrected {
    const TYPE: &'static str = "quenty.shipping.shipment.consignee_corrected.v1";
    const PUBLISHED: bool = false;
    const PERSONAL: &'static [&'static str] = &["consignee"];
}

/// A report that moved nothing: a repeat, one that came late, a hub that was passed, or a release by customs while
/// something else keeps the parcel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShipmentScanned {
    pub shipment_id: ShipmentId,
    pub kind: String,
    pub at: Timestamp,
    /// A release by customs from before a newer hold, which it does not end. One that does not say so ended any.
    #[serde(default)]
    pub outdated: bool,
}

impl Event for ShipmentScanned {
    const TYPE: &'static str = "quenty.shipping.shipment.scanned.v1";
    const PUBLISHED: bool = false;
}
