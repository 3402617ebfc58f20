//! What Order tells: the catalogue, the stock, and every order from the click to the door.

use jiff::{Timestamp, civil::Date};
use quenty_kernel::{
    address::Address,
    contact::{Phone, Text},
    country::CountryCode,
    currency::Currency,
    id::{
        CompanyId, CustomerId, MovementId, OrderId, PickupId, PrivacyRequestId, ProductId, ReservationId,
        ReturnId, ShipmentId, WarehouseId,
    },
    measure::{Dimensions, Grams},
    money::Money,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    events,
    party::{Item, Parcel, Party},
    returns::{ExchangeLine, ReturnedValue},
};

/// One line of an order. `total` = quantity × unit price − discount + tax.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderLine {
    pub product_id: ProductId,
    pub sku: String,
    pub name: String,
    pub quantity: u32,
    pub unit_price: Money,
    pub discount: Money,
    pub tax: Money,
    pub total: Money,
}

/// The sums of an order: total = subtotal − discount + shipping + tax.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderTotals {
    pub subtotal: Money,
    pub discount: Money,
    pub shipping: Money,
    pub tax: Money,
    pub total: Money,
}

/// When the merchant wants the driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WantedPickup {
    /// `on_demand`, `scheduled` or `express`.
    pub kind: String,
    /// The local date of the pickup's service area.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "date")]
    pub date: Option<Date>,
    /// The slot's local start time, like `08:00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<String>,
}

/// A quantity of one product in one warehouse (and batch).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StockQuantity {
    pub product_id: ProductId,
    pub warehouse_id: WarehouseId,
    pub batch: Option<String>,
    pub quantity: u32,
}

/// The goods that replace returned ones: the request of `POST /internal/exchanges`. The same return is served once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Exchange {
    pub return_id: ReturnId,
    /// The order whose goods came back: the replacement goes to the same consignee.
    pub order_id: OrderId,
    pub company_id: CompanyId,
    pub lines: Vec<ExchangeLine>,
    /// What those are worth line by line: as many pieces of the same product cost exactly that.
    #[serde(default)]
    pub returned: Vec<ReturnedValue>,
    /// What the returned goods are worth to the buyer: recorded as a payment, up to the new order's total.
    pub credit: Money,
}

/// The answer of `POST /internal/exchanges`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExchangePlaced {
    pub order_id: OrderId,
    pub total: Money,
    /// What of the credit the new order took.
    pub paid: Money,
}

events! {
    "quenty.order.product.created.v1" ProductCreated {
        product_id: ProductId,
        company_id: CompanyId,
        sku: Text<64>,
        name: Text<200>,
        description: Option<Text<2000>>,
        category: Option<Text<100>>,
        price: Money,
        cost: Option<Money>,
        weight_grams: Grams,
        dimensions: Option<Dimensions>,
        hs_code: Option<String>,
        country_of_origin: Option<CountryCode>,
        reorder_point: Option<u32>,
        reorder_quantity: Option<u32>,
        lead_time_days: Option<u16>,
        /// Made by an import from an unknown SKU; weight and size are assumptions.
        estimated: bool,
    }
    "quenty.order.product.updated.v1" ProductUpdated {
        product_id: ProductId,
        company_id: CompanyId,
        name: Text<200>,
        description: Option<Text<2000>>,
        category: Option<Text<100>>,
        price: Money,
        cost: Option<Money>,
        weight_grams: Grams,
        dimensions: Option<Dimensions>,
        hs_code: Option<String>,
        country_of_origin: Option<CountryCode>,
        reorder_point: Option<u32>,
        reorder_quantity: Option<u32>,
        lead_time_days: Option<u16>,
        estimated: bool,
    }
    "quenty.order.product.archived.v1" ProductArchived {
        product_id: ProductId,
        company_id: CompanyId,
    }
    /// A warehouse stands elsewhere than before, or is called or reached otherwise.
    "quenty.order.warehouse.updated.v1" WarehouseUpdated {
        warehouse_id: WarehouseId,
        name: Text<120>,
        address: Address,
        contact_phone: Option<Phone>,
        is_default: bool,
    }
    /// The stream of reserved, released and issued is the order's reservation.
    "quenty.order.stock.reserved.v1" StockReserved {
        reservation_id: ReservationId,
        order_id: OrderId,
        company_id: CompanyId,
        quantities: Vec<StockQuantity>,
    }
    "quenty.order.stock.released.v1" StockReleased {
        reservation_id: ReservationId,
        order_id: OrderId,
        company_id: CompanyId,
        quantities: Vec<StockQuantity>,
    }
    "quenty.order.stock.issued.v1" StockIssued {
        reservation_id: ReservationId,
        order_id: OrderId,
        company_id: CompanyId,
        quantities: Vec<StockQuantity>,
    }
    /// Goods that were issued came back to where they were: on the reservation's stream too.
    "quenty.order.stock.returned.v1" StockReturned {
        reservation_id: ReservationId,
        order_id: OrderId,
        company_id: CompanyId,
        quantities: Vec<StockQuantity>,
        reason: String,
    }
    "quenty.order.stock.received.v1" StockReceived {
        movement_id: MovementId,
        company_id: CompanyId,
        quantity: StockQuantity,
        reference: Option<String>,
    }
    "quenty.order.stock.adjusted.v1" StockAdjusted {
        movement_id: MovementId,
        company_id: CompanyId,
        product_id: ProductId,
        warehouse_id: WarehouseId,
        batch: Option<String>,
        on_hand_delta: i64,
        /// `adjustment`, `write_off`, `return`, `issue`.
        kind: String,
        reason: String,
    }
    /// The stream of fell_low and recovered is the product.
    "quenty.order.stock.fell_low.v1" StockFellLow {
        product_id: ProductId,
        company_id: CompanyId,
        available: i64,
        reorder_point: u32,
    }
    "quenty.order.stock.recovered.v1" StockRecovered {
        product_id: ProductId,
        company_id: CompanyId,
        available: i64,
        reorder_point: u32,
    }
    "quenty.order.order.placed.v1" OrderPlaced personal["consignee", "sender", "notes"] {
        order_id: OrderId,
        company_id: CompanyId,
        customer_id: Option<CustomerId>,
        external_reference: Option<String>,
        /// `standard`, `express` or `international`.
        kind: String,
        /// `prepaid`, `cash_on_delivery` or `credit`.
        payment_method: String,
        /// `unpaid`, `authorized`, `paid`, `cod_pending`, `on_credit`, `refunded`, `partially_refunded`.
        payment_status: String,
        currency: Currency,
        lines: Vec<OrderLine>,
        totals: OrderTotals,
        consignee: Party,
        /// Where the parcels start: the warehouse, in the merchant's name.
        sender: Party,
        /// What customs want to know of each line.
        items: Vec<Item>,
        parcels: Vec<Parcel>,
        warehouse_id: WarehouseId,
        /// Absent while the order is backordered.
        reservation_id: Option<ReservationId>,
        wanted_pickup: Option<WantedPickup>,
        notes: Option<String>,
        /// Placed on a standing that could not be refreshed because Customer was away.
        stale_standing: bool,
    }
    "quenty.order.order.updated.v1" OrderUpdated personal["consignee", "notes"] {
        order_id: OrderId,
        consignee: Party,
        lines: Vec<OrderLine>,
        totals: OrderTotals,
        notes: Option<String>,
    }
    "quenty.order.order.backordered.v1" OrderBackordered {
        order_id: OrderId,
        /// What the order waits for; empty while there is enough of everything, but in no one warehouse.
        missing: Vec<StockQuantity>,
    }
    /// A backordered order got its stock; or an order has other stock than before, or its warehouse stands elsewhere.
    "quenty.order.order.allocated.v1" OrderAllocated personal["sender"] {
        order_id: OrderId,
        reservation_id: ReservationId,
        warehouse_id: WarehouseId,
        /// Another warehouse is another origin, perhaps in another country.
        sender: Party,
        kind: String,
    }
    "quenty.order.order.paid.v1" OrderPaid {
        order_id: OrderId,
        amount: Money,
        reference: Option<String>,
        payment_status: String,
    }
    "quenty.order.order.confirmed.v1" OrderConfirmed {
        order_id: OrderId,
    }
    "quenty.order.order.held.v1" OrderHeld personal["reason"] {
        order_id: OrderId,
        /// A stable word such as `PAYMENT_MISSING`, `SHIPMENT_REJECTED`, `PICKUP_REJECTED`, `PICKUP_ABANDONED`.
        code: String,
        reason: String,
    }
    "quenty.order.order.resumed.v1" OrderResumed {
        order_id: OrderId,
    }
    /// Asks Shipping for a shipment; the same `(order_id, attempt)` is booked once.
    "quenty.order.order.shipment_requested.v1" ShipmentRequested personal["sender", "consignee"] {
        order_id: OrderId,
        company_id: CompanyId,
        attempt: u32,
        kind: String,
        reference: Option<String>,
        sender: Party,
        consignee: Party,
        parcels: Vec<Parcel>,
        items: Vec<Item>,
        /// What is paid for the goods: discounts are taken off, as of the values of its items those of their lines.
        declared_value: Money,
        /// What the person who delivers must collect.
        cash_on_delivery: Option<Money>,
        /// `DAP` or `DDP`; absent at home.
        incoterm: Option<String>,
        /// The day from which the parcels can be collected; absent: at once.
        ready_on: Option<Date>,
    }
    /// Asks Pickup for a driver; the same `(order_id, attempt)` is booked once.
    "quenty.order.order.pickup_requested.v1" PickupRequested personal["sender"] {
        order_id: OrderId,
        company_id: CompanyId,
        attempt: u32,
        /// `on_demand`, `scheduled` or `express`.
        kind: String,
        date: Option<Date>,
        slot: Option<String>,
        sender: Party,
        parcels: Vec<Parcel>,
        insured_value: Option<Money>,
        shipment_id: ShipmentId,
        tracking_number: String,
    }
    /// Shipment and pickup are booked.
    "quenty.order.order.processing_started.v1" OrderProcessingStarted {
        order_id: OrderId,
        shipment_id: Option<ShipmentId>,
        tracking_number: Option<String>,
        /// Absent when news from the road came before the pickup's own.
        pickup_id: Option<PickupId>,
        pickup_window_start: Option<Timestamp>,
        pickup_window_end: Option<Timestamp>,
        promised_at: Option<Timestamp>,
    }
    /// A pickup is live: Pickup decides whether the driver has begun.
    "quenty.order.order.cancel_requested.v1" OrderCancelRequested personal["reason"] {
        order_id: OrderId,
        pickup_id: Option<PickupId>,
        attempt: u32,
        reason: String,
        /// The driver need not come, but the order goes on.
        #[serde(default)]
        pickup_only: bool,
    }
    "quenty.order.order.cancelled.v1" OrderCancelled personal["reason"] {
        order_id: OrderId,
        shipment_id: Option<ShipmentId>,
        reason: String,
    }
    "quenty.order.order.cancel_refused.v1" OrderCancelRefused personal["reason"] {
        order_id: OrderId,
        reason: String,
    }
    "quenty.order.order.picked_up.v1" OrderPickedUp {
        order_id: OrderId,
        pickup_id: Option<PickupId>,
        at: Timestamp,
    }
    "quenty.order.order.departed.v1" OrderDeparted {
        order_id: OrderId,
        at: Timestamp,
    }
    "quenty.order.order.exception_raised.v1" OrderExceptionRaised personal["detail"] {
        order_id: OrderId,
        code: String,
        detail: String,
    }
    "quenty.order.order.exception_resolved.v1" OrderExceptionResolved {
        order_id: OrderId,
        status: String,
    }
    "quenty.order.order.delivered.v1" OrderDelivered personal["consignee", "sender"] {
        order_id: OrderId,
        company_id: CompanyId,
        customer_id: Option<CustomerId>,
        lines: Vec<OrderLine>,
        totals: OrderTotals,
        payment_method: String,
        at: Timestamp,
        promised_at: Option<Timestamp>,
        /// What was paid so far; later payments are facts of their own. Absent, as the four below, in facts of before
        /// it was told.
        paid: Option<Money>,
        consignee: Option<Party>,
        /// The warehouse, in the merchant's name.
        sender: Option<Party>,
        warehouse_id: Option<WarehouseId>,
        /// Weight and value of one unit of each line, in the order of the lines.
        #[serde(default)]
        items: Vec<Item>,
        external_reference: Option<String>,
    }
    "quenty.order.order.undeliverable.v1" OrderUndeliverable personal["reason"] {
        order_id: OrderId,
        reason: String,
    }
    "quenty.order.order.lost.v1" OrderLost {
        order_id: OrderId,
        reason: String,
    }
    "quenty.order.order.returned_to_sender.v1" OrderReturnedToSender {
        order_id: OrderId,
        at: Timestamp,
    }
    /// The consignee sent it back, wholly or in part.
    "quenty.order.order.returned.v1" OrderReturned {
        order_id: OrderId,
        /// `returned` or `partially_returned`.
        status: String,
        at: Timestamp,
    }
    /// What the service holds of a person who is to be erased, and what of it has not ended yet: told again whenever
    /// that changes.
    "quenty.order.privacy.found.v1" OrdersFound {
        request_id: PrivacyRequestId,
        company_id: CompanyId,
        order_ids: Vec<OrderId>,
        under_way: Vec<OrderId>,
    }
    /// All that the service held about the person is erased, or stands for nobody any more. Counts, and no word of it.
    "quenty.order.privacy.erased.v1" OrdersErased {
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
