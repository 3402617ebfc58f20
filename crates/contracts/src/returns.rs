//! What Reverse Logistics tells: every return from the request to the end, and what became of each unit.

use jiff::{Timestamp, civil::Date};
use quenty_kernel::{
    Actor,
    id::{
        CompanyId, CustomerId, DispositionId, InspectionId, OrderId, PickupId, PrivacyRequestId, ProductId,
        ReturnId, ShipmentId, WarehouseId,
    },
    money::Money,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    events,
    party::{Item, Parcel, Party},
};

/// What comes back of one line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReturnedLine {
    /// The line's place in its order, from 1.
    pub line: u32,
    pub product_id: ProductId,
    pub sku: String,
    pub name: String,
    pub quantity: u32,
    /// `defective`, `wrong_item`, `damaged_in_shipping`, `not_as_described`, `changed_mind`, `size`, `other`.
    pub reason: String,
}

/// How many units of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LineQuantity {
    /// The line's place in its order, from 1.
    pub line: u32,
    pub quantity: u32,
}

/// What the buyer gets back, and what is kept: refund = goods + shipping − fee − way back, never below zero or above
/// what was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefundAmounts {
    pub goods: Money,
    /// What the buyer paid to have these goods sent.
    pub shipping: Money,
    /// The restocking fee.
    pub fee: Money,
    /// What bringing the goods back costs the buyer.
    pub way_back: Money,
    pub refund: Money,
}

/// What returned units of a line are worth to the buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReturnedValue {
    /// The line's place in its order, from 1.
    pub line: u32,
    pub quantity: u32,
    pub value: Money,
}

/// What an inspection says of one unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InspectedUnit {
    /// The line's place in its order, from 1.
    pub line: u32,
    /// The unit's number within what was received of the line, from 1.
    pub unit: u32,
    /// `like_new`, `good`, `fair`, `poor`, `beyond_repair`.
    pub condition: String,
    pub working: bool,
    pub complete: bool,
    /// `confirmed`: as the buyer said; `not_confirmed`: returned as if they had changed their mind; `refused`: no refund.
    pub claim: String,
    pub defects: Vec<String>,
}

/// The replacement goods of an exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExchangeLine {
    pub product_id: ProductId,
    pub quantity: u32,
}

events! {
    /// The first fact of every return.
    "quenty.returns.return.requested.v1" ReturnRequested personal["buyer", "notes"] {
        return_id: ReturnId,
        company_id: CompanyId,
        order_id: OrderId,
        customer_id: Option<CustomerId>,
        /// `return`, `exchange` or `warranty`.
        kind: String,
        /// `refund`, `exchange` or `store_credit`.
        resolution: String,
        /// `pickup`, `label` or `drop_off`.
        way_back: String,
        lines: Vec<ReturnedLine>,
        exchange: Vec<ExchangeLine>,
        buyer: Party,
        /// Where the goods go.
        destination: Party,
        warehouse_id: WarehouseId,
        policy_version: u32,
        /// What it comes to if all arrives as it was described.
        expected: RefundAmounts,
        /// BCP 47: in what the buyer is written to.
        language: String,
        packaging_intact: bool,
        accessories_complete: bool,
        /// The day from which a pickup may come.
        pickup_date: Option<Date>,
        /// The pickup slot's local start, like `08:00`.
        pickup_slot: Option<String>,
        notes: Option<String>,
        requested_by: Actor,
    }
    "quenty.returns.return.approved.v1" ReturnApproved {
        return_id: ReturnId,
        company_id: CompanyId,
        order_id: OrderId,
        /// The rule by which, like `WRONG_ITEM`; `BY_HAND` for a person's decision.
        rule: String,
        detail: String,
        /// What has not arrived by then expires.
        expires_at: Timestamp,
    }
    "quenty.returns.return.rejected.v1" ReturnRejected {
        return_id: ReturnId,
        company_id: CompanyId,
        order_id: OrderId,
        reason: String,
    }
    "quenty.returns.return.disputed.v1" ReturnDisputed {
        return_id: ReturnId,
        company_id: CompanyId,
        order_id: OrderId,
        /// `rejection` or `inspection`.
        of: String,
        reason: String,
    }
    /// Asks Pickup for a driver; the same `(return_id, attempt)` is booked once.
    "quenty.returns.return.pickup_requested.v1" ReturnPickupRequested personal["sender"] {
        return_id: ReturnId,
        company_id: CompanyId,
        order_id: OrderId,
        attempt: u32,
        /// `on_demand`, `scheduled` or `express`.
        kind: String,
        date: Option<Date>,
        slot: Option<String>,
        sender: Party,
        parcels: Vec<Parcel>,
    }
    /// Asks Shipping for a label; the same `(return_id, attempt)` is booked once.
    "quenty.returns.return.label_requested.v1" ReturnLabelRequested personal["sender", "consignee"] {
        return_id: ReturnId,
        company_id: CompanyId,
        order_id: OrderId,
        attempt: u32,
        sender: Party,
        consignee: Party,
        parcels: Vec<Parcel>,
        items: Vec<Item>,
        declared_value: Money,
    }
    "quenty.returns.return.label_issued.v1" ReturnLabelIssued {
        return_id: ReturnId,
        company_id: CompanyId,
        order_id: OrderId,
        shipment_id: ShipmentId,
        tracking_number: String,
    }
    /// The way back is no longer wanted: Pickup or Shipping decides whether it can still be stopped, and answers.
    "quenty.returns.return.way_back_cancel_requested.v1" ReturnWayBackCancelRequested {
        return_id: ReturnId,
        company_id: CompanyId,
        /// The attempt whose booking it is.
        attempt: u32,
        /// `pickup` or `label`.
        way_back: String,
        pickup_id: Option<PickupId>,
        shipment_id: Option<ShipmentId>,
        reason: String,
    }
    "quenty.returns.return.picked_up.v1" ReturnPickedUp {
        return_id: ReturnId,
        company_id: CompanyId,
        order_id: OrderId,
        at: Timestamp,
    }
    /// Something arrived; told again when more does.
    "quenty.returns.return.received.v1" ReturnReceived {
        return_id: ReturnId,
        company_id: CompanyId,
        order_id: OrderId,
        /// What arrived this time.
        arrived: Vec<LineQuantity>,
        /// Whether everything is there now.
        complete: bool,
        warehouse_id: WarehouseId,
        received_by: Actor,
    }
    "quenty.returns.return.inspected.v1" ReturnInspected {
        return_id: ReturnId,
        company_id: CompanyId,
        order_id: OrderId,
        inspection_id: InspectionId,
        units: Vec<InspectedUnit>,
        /// Whether every received unit is inspected now.
        complete: bool,
        inspected_by: Actor,
    }
    /// It is decided what becomes of every unit, and what the buyer gets.
    "quenty.returns.return.processed.v1" ReturnProcessed {
        return_id: ReturnId,
        company_id: CompanyId,
        order_id: OrderId,
        amounts: RefundAmounts,
        /// Which line has which part of what the goods come to. Absent in facts of before this was told.
        #[serde(default)]
        values: Vec<ReturnedValue>,
        /// What the goods are expected to bring, less what that costs.
        recovery: Money,
        processed_by: Actor,
    }
    "quenty.returns.return.refunded.v1" ReturnRefunded {
        return_id: ReturnId,
        company_id: CompanyId,
        order_id: OrderId,
        amount: Money,
        /// `original`, `store_credit` or `cash`.
        method: String,
        reference: Option<String>,
    }
    "quenty.returns.return.exchanged.v1" ReturnExchanged {
        return_id: ReturnId,
        company_id: CompanyId,
        order_id: OrderId,
        /// The order by which the replacement goes out.
        exchange_order_id: OrderId,
        total: Money,
        /// What the replacement left of the buyer's credit, still to be paid back.
        left_of_credit: Money,
    }
    /// Ended without money: nothing was owed.
    "quenty.returns.return.disposed.v1" ReturnDisposed {
        return_id: ReturnId,
        company_id: CompanyId,
        order_id: OrderId,
        reason: String,
    }
    "quenty.returns.return.cancelled.v1" ReturnCancelled {
        return_id: ReturnId,
        company_id: CompanyId,
        order_id: OrderId,
        reason: String,
    }
    "quenty.returns.return.expired.v1" ReturnExpired {
        return_id: ReturnId,
        company_id: CompanyId,
        order_id: OrderId,
    }
    /// Goods and money are settled.
    "quenty.returns.return.completed.v1" ReturnCompleted {
        return_id: ReturnId,
        company_id: CompanyId,
        order_id: OrderId,
        /// `refunded`, `exchanged` or `disposed`.
        outcome: String,
        /// What really came back.
        returned: Vec<LineQuantity>,
        /// What was paid back in this return.
        refund: Money,
        /// Whether nothing of the order is left with the buyer.
        order_returned_whole: bool,
    }
    /// One unit can be sold again: Order takes it into stock. The stream is the disposition.
    "quenty.returns.item.restocked.v1" ItemRestocked {
        disposition_id: DispositionId,
        return_id: ReturnId,
        order_id: OrderId,
        company_id: CompanyId,
        product_id: ProductId,
        sku: String,
        warehouse_id: WarehouseId,
        batch: Option<String>,
        quantity: u32,
        /// `resell_as_new` or `resell_open_box`.
        disposition: String,
        /// `like_new`, `good`, `fair`, `poor`.
        condition: String,
        /// What it is expected to sell for.
        value: Money,
    }
    /// One unit goes another way than back to the shelf. The stream is the disposition.
    "quenty.returns.item.disposed.v1" ItemDisposed {
        disposition_id: DispositionId,
        return_id: ReturnId,
        order_id: OrderId,
        company_id: CompanyId,
        product_id: ProductId,
        sku: String,
        quantity: u32,
        /// `refurbish`, `parts`, `donate`, `recycle`, `destroy`.
        disposition: String,
        condition: String,
        /// What it is expected to bring.
        value: Money,
        /// What that costs.
        cost: Money,
        partner: Option<String>,
    }
    /// What the service holds of a person who is to be erased, and what of it has not ended yet: told again whenever
    /// that changes.
    "quenty.returns.privacy.found.v1" ReturnsFound {
        request_id: PrivacyRequestId,
        company_id: CompanyId,
        return_ids: Vec<ReturnId>,
        under_way: Vec<ReturnId>,
    }
    /// All that the service held about the person is erased, or stands for nobody any more. Counts, and no word of it.
    "quenty.returns.privacy.erased.v1" ReturnsErased {
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
