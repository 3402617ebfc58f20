//! What Shipping tells: every shipment from its booking to the door, and manifests.

use jiff::{Timestamp, civil::Date};
use quenty_kernel::{
    Actor,
    id::{CompanyId, CustomerId, ManifestId, OrderId, PrivacyRequestId, ReturnId, ShipmentId},
    money::Money,
};

use crate::{
    events,
    party::{Item, Parcel, Party},
};

events! {
    "quenty.shipping.shipment.created.v1" ShipmentCreated personal["sender", "consignee"] {
        shipment_id: ShipmentId,
        company_id: CompanyId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        /// The request's attempt that this answers.
        attempt: u32,
        reference: Option<String>,
        carrier: String,
        service: String,
        international: bool,
        sender: Party,
        consignee: Party,
        parcels: Vec<Parcel>,
        items: Vec<Item>,
        declared_value: Money,
        cash_on_delivery: Option<Money>,
        incoterm: Option<String>,
        /// The company's customer to whom it goes, where it was made by hand and says so.
        customer_id: Option<CustomerId>,
    }
    "quenty.shipping.shipment.booked.v1" ShipmentBooked {
        shipment_id: ShipmentId,
        company_id: CompanyId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        attempt: u32,
        carrier: String,
        service: String,
        tracking_number: String,
        cost: Money,
        promised_at: Timestamp,
        /// Since when the carrier has the parcels, where this is told again to who asks late.
        picked_up_at: Option<Timestamp>,
    }
    "quenty.shipping.shipment.rejected.v1" ShipmentRejected {
        shipment_id: ShipmentId,
        company_id: CompanyId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        attempt: u32,
        /// `KYC_REQUIRED`, `NO_RATE`, `VALUE_ABOVE_LIMIT`, `WEIGHT_ABOVE_LIMIT`, `PROHIBITED`, `COMPANY_NOT_ACTIVE`, `UNPRINTABLE`.
        code: String,
        detail: String,
    }
    "quenty.shipping.shipment.voided.v1" ShipmentVoided {
        shipment_id: ShipmentId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        reason: String,
    }
    "quenty.shipping.shipment.picked_up.v1" ShipmentPickedUp {
        shipment_id: ShipmentId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        at: Timestamp,
        /// The promise that this collection renewed; absent: as it was booked.
        promised_at: Option<Timestamp>,
    }
    "quenty.shipping.shipment.departed.v1" ShipmentDeparted {
        shipment_id: ShipmentId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        at: Timestamp,
        place: Option<String>,
    }
    "quenty.shipping.shipment.held_by_customs.v1" ShipmentHeldByCustoms {
        shipment_id: ShipmentId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        at: Timestamp,
        detail: String,
    }
    "quenty.shipping.shipment.released_by_customs.v1" ShipmentReleasedByCustoms {
        shipment_id: ShipmentId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        at: Timestamp,
    }
    "quenty.shipping.shipment.exception_raised.v1" ShipmentExceptionRaised {
        shipment_id: ShipmentId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        at: Timestamp,
        /// `DELIVERY_FAILED`, `DELAYED`, `DAMAGED`, `ADDRESS_PROBLEM`, `OTHER`.
        code: String,
        detail: String,
    }
    "quenty.shipping.shipment.exception_resolved.v1" ShipmentExceptionResolved {
        shipment_id: ShipmentId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        at: Timestamp,
        status: String,
    }
    "quenty.shipping.shipment.out_for_delivery.v1" ShipmentOutForDelivery {
        shipment_id: ShipmentId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        at: Timestamp,
        attempt: u32,
    }
    "quenty.shipping.shipment.delivered.v1" ShipmentDelivered personal["received_by"] {
        shipment_id: ShipmentId,
        company_id: CompanyId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        at: Timestamp,
        received_by: Option<String>,
        /// `name`, `signature`, `photo` or `carrier`.
        proof: String,
        on_time: bool,
    }
    "quenty.shipping.shipment.undeliverable.v1" ShipmentUndeliverable {
        shipment_id: ShipmentId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        at: Timestamp,
        reason: String,
    }
    "quenty.shipping.shipment.returned.v1" ShipmentReturned {
        shipment_id: ShipmentId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        at: Timestamp,
    }
    "quenty.shipping.shipment.lost.v1" ShipmentLost {
        shipment_id: ShipmentId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        at: Timestamp,
    }
    /// Cash was taken at the door. The stream is the shipment.
    "quenty.shipping.cash.collected.v1" CashCollected {
        shipment_id: ShipmentId,
        company_id: CompanyId,
        order_id: Option<OrderId>,
        return_id: Option<ReturnId>,
        amount: Money,
        at: Timestamp,
    }
    "quenty.shipping.manifest.submitted.v1" ManifestSubmitted {
        manifest_id: ManifestId,
        company_id: CompanyId,
        shipments: u32,
        weight_grams: u64,
        /// Who may not approve it.
        submitted_by: Actor,
    }
    "quenty.shipping.manifest.approved.v1" ManifestApproved {
        manifest_id: ManifestId,
        company_id: CompanyId,
    }
    "quenty.shipping.manifest.rejected.v1" ManifestRejected {
        manifest_id: ManifestId,
        company_id: CompanyId,
        reason: String,
    }
    "quenty.shipping.manifest.shipped.v1" ManifestShipped {
        manifest_id: ManifestId,
        company_id: CompanyId,
        date: Date,
        shipments: u32,
    }
    "quenty.shipping.manifest.delivered.v1" ManifestDelivered {
        manifest_id: ManifestId,
        company_id: CompanyId,
    }
    /// All that the service held about the person is erased, or stands for nobody any more. Counts, and no word of it.
    "quenty.shipping.privacy.erased.v1" ShipmentsErased {
        request_id: PrivacyRequestId,
        company_id: CompanyId,
        customer_id: CustomerId,
        /// Of the request that this answers.
        #[serde(default)]
        round: u32,
        /// Rows that spoke of the person.
        records: u32,
        /// Facts of the journal that were stripped.
        facts: u32,
    }
}
