//! Orders as JSON.

use jiff::{Timestamp, civil::Date};
use quenty_contracts::{
    order::{OrderLine, OrderTotals, WantedPickup},
    party::{Parcel, Party},
};
use quenty_kernel::{
    Failure,
    address::Address,
    contact::{Email, NewEmail, Phone, Text},
    currency::Currency,
    day::LocalTime,
    id::{CompanyId, CustomerId, OrderId, PickupId, ProductId, ReservationId, ShipmentId, WarehouseId},
    money::Money,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    commands::{NewLine, NewOrder, ProductRef, WhenShort},
    domain::{
        fulfilment::{Booking, Step},
        order::{
            Hold, HoldCode, Order, OrderKind, OrderState, PaymentMethod, PaymentStatus, Status,
            totals::Extras,
        },
        standing::KnownStanding,
    },
};

const MAX_LINES: usize = 200;

/// An order to place.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaceOrderIn {
    /// Whom it goes to, if the company keeps that customer.
    pub(super) customer_id: Option<CustomerId>,
    /// The merchant's own name of the order, unique in the company.
    pub(super) external_reference: Option<Text<100>>,
    /// `standard` unless told; `international` by itself where the consignee lives abroad.
    pub(super) kind: Option<OrderKind>,
    pub(super) payment_method: PaymentMethod,
    #[schema(min_items = 1, max_items = 200)]
    pub(super) lines: Vec<OrderLineIn>,
    /// Taken from the order as a whole.
    pub(super) discount: Option<Money>,
    /// What the consignee pays for shipping.
    pub(super) shipping: Option<Money>,
    /// Taxes of the order as a whole, beside those of its lines.
    pub(super) tax: Option<Money>,
    /// What you believe the total to be; another one is refused.
    pub(super) expected_total: Option<Money>,
    pub(super) consignee: ConsigneeIn,
    /// The warehouse to look in first; else the nearest one that holds everything.
    pub(super) warehouse_id: Option<WarehouseId>,
    pub(super) pickup: Option<PickupIn>,
    pub(super) notes: Option<Text<1000>>,
    /// Wait for stock instead of being refused.
    #[serde(default)]
    pub(super) allow_backorder: bool,
}

/// Whom an order goes to, and where.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ConsigneeIn {
    name: Text<120>,
    phone: Option<Phone>,
    email: Option<NewEmail>,
    address: Address,
}

impl From<ConsigneeIn> for Party {
    fn from(input: ConsigneeIn) -> Self {
        let ConsigneeIn { name, phone, email, address } = input;
        Self { name, phone, email: email.map(Email::from), address }
    }
}

/// A line: a product by id or SKU, and what differs from the catalogue.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderLineIn {
    product_id: Option<ProductId>,
    #[schema(example = "CAFE-500")]
    sku: Option<Text<64>>,
    #[schema(minimum = 1, example = 2)]
    quantity: u32,
    /// The catalogue's price unless told.
    unit_price: Option<Money>,
    discount: Option<Money>,
    tax: Option<Money>,
}

/// When the driver should come.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PickupIn {
    kind: PickupKind,
    /// A local date of the pickup's service area; only with `scheduled`. Once it is over, any slot will do.
    #[schema(value_type = Option<String>, format = "date")]
    date: Option<Date>,
    /// The slot's local start.
    slot: Option<LocalTime>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum PickupKind {
    OnDemand,
    Scheduled,
    Express,
}

impl PickupIn {
    pub(super) fn wanted(self) -> Result<WantedPickup, Failure> {
        if self.kind != PickupKind::Scheduled && (self.date.is_some() || self.slot.is_some()) {
            return Err(Failure::invalid(
                "SLOT_NOT_WANTED",
                "/pickup/kind",
                "only a scheduled pickup has a date and a slot",
            ));
        }
        let kind = match self.kind {
            PickupKind::OnDemand => "on_demand",
            PickupKind::Scheduled => "scheduled",
            PickupKind::Express => "express",
        };
        Ok(WantedPickup { kind: kind.to_owned(), date: self.date, slot: self.slot.map(String::from) })
    }
}

impl OrderLineIn {
    fn line(self, index: usize) -> Result<NewLine, Failure> {
        let product = match (self.product_id, self.sku) {
            (Some(id), None) => ProductRef::Id(id),
            (None, Some(sku)) => ProductRef::Sku(sku.into()),
            _ => {
                return Err(Failure::invalid(
                    "ONE_PRODUCT",
                    format!("/lines/{index}"),
                    "name the product either by product_id or by sku",
                ));
            }
        };
        Ok(NewLine {
            product,
            quantity: self.quantity,
            unit_price: self.unit_price,
            discount: self.discount,
            tax: self.tax,
        })
    }
}

pub(super) fn lines(lines: Vec<OrderLineIn>) -> Result<Vec<NewLine>, Failure> {
    if !(1..=MAX_LINES).contains(&lines.len()) {
        return Err(Failure::invalid(
            "LINES_OUT_OF_RANGE",
            "/lines",
            format!("an order has 1 to {MAX_LINES} lines"),
        ));
    }
    lines.into_iter().enumerate().map(|(index, line)| line.line(index)).collect()
}

impl PlaceOrderIn {
    pub(super) fn order(self, company_id: CompanyId, standing: KnownStanding) -> Result<NewOrder, Failure> {
        Ok(NewOrder {
            company_id,
            standing,
            customer_id: self.customer_id,
            external_reference: self.external_reference,
            kind: self.kind.unwrap_or(OrderKind::Standard),
            payment_method: self.payment_method,
            lines: lines(self.lines)?,
            extras: Extras { discount: self.discount, shipping: self.shipping, tax: self.tax },
            expected_total: self.expected_total,
            consignee: self.consignee.into(),
            warehouse_id: self.warehouse_id,
            wanted_pickup: self.pickup.map(PickupIn::wanted).transpose()?,
            notes: self.notes,
            when_short: if self.allow_backorder { WhenShort::Wait } else { WhenShort::Refuse },
            paid: None,
            is_replacement: false,
        })
    }
}

/// Why an order waits for a person.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HoldOut {
    code: HoldCode,
    #[schema(example = "NO_CAPACITY: no slot within 7 days")]
    reason: String,
}

impl From<&Hold> for HoldOut {
    fn from(hold: &Hold) -> Self {
        Self { code: hold.code, reason: hold.reason.clone() }
    }
}

/// An order.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OrderOut {
    id: OrderId,
    company_id: CompanyId,
    customer_id: Option<CustomerId>,
    external_reference: Option<String>,
    kind: OrderKind,
    status: Status,
    payment_method: PaymentMethod,
    payment_status: PaymentStatus,
    /// What was paid so far.
    paid: Money,
    /// What of it was paid back.
    refunded: Money,
    currency: Currency,
    lines: Vec<OrderLine>,
    totals: OrderTotals,
    consignee: Party,
    sender: Party,
    parcels: Vec<Parcel>,
    warehouse_id: WarehouseId,
    /// Absent while the order is backordered.
    reservation_id: Option<ReservationId>,
    wanted_pickup: Option<WantedPickup>,
    notes: Option<String>,
    /// Present while a person has to look at it.
    on_hold: Option<HoldOut>,
    shipment_id: Option<ShipmentId>,
    carrier: Option<String>,
    tracking_number: Option<String>,
    promised_at: Option<Timestamp>,
    pickup_id: Option<PickupId>,
    pickup_window_start: Option<Timestamp>,
    pickup_window_end: Option<Timestamp>,
    /// Why it is cancelled, or is to be. A cancellation that came too late is kept until the parcels are collected or
    /// the order is changed: it is asked for again if the driver comes in vain.
    cancel_reason: Option<String>,
    /// Placed on a standing that could not be refreshed because Customer was away.
    stale_standing: bool,
    placed_at: Timestamp,
    picked_up_at: Option<Timestamp>,
    delivered_at: Option<Timestamp>,
    updated_at: Timestamp,
    version: i64,
}

impl From<&OrderState> for OrderOut {
    fn from(order: &OrderState) -> Self {
        let order = order.clone();
        let f = order.fulfilment;
        Self {
            id: order.id,
            company_id: order.company_id,
            customer_id: order.customer_id,
            external_reference: order.external_reference,
            kind: order.kind,
            status: order.status,
            payment_method: order.payment_method,
            payment_status: order.payment_status,
            paid: order.paid,
            refunded: order.refunded,
            currency: order.totals.total.currency(),
            lines: order.lines,
            totals: order.totals,
            consignee: order.consignee,
            sender: order.sender,
            parcels: order.parcels,
            warehouse_id: order.warehouse_id,
            reservation_id: order.reservation_id,
            wanted_pickup: order.wanted_pickup,
            notes: order.notes,
            on_hold: order.hold.as_ref().map(HoldOut::from),
            shipment_id: f.shipment_id,
            carrier: f.carrier,
            tracking_number: f.tracking_number,
            promised_at: f.promised_at,
            pickup_id: f.pickup_id,
            pickup_window_start: f.window_start,
            pickup_window_end: f.window_end,
            cancel_reason: order.cancel_reason,
            stale_standing: order.stale_standing,
            placed_at: order.placed_at,
            picked_up_at: order.picked_up_at,
            delivered_at: order.delivered_at,
            updated_at: order.updated_at,
            version: order.version,
        }
    }
}

/// What an order would be if it were placed now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QuoteOut {
    kind: OrderKind,
    lines: Vec<OrderLine>,
    totals: OrderTotals,
    parcels: Vec<Parcel>,
    /// The warehouse that would send it.
    warehouse_id: WarehouseId,
    /// Whether it would wait for stock.
    backordered: bool,
}

impl From<&Order> for QuoteOut {
    fn from(order: &Order) -> Self {
        Self {
            kind: order.kind,
            lines: order.lines.clone(),
            totals: order.totals.clone(),
            parcels: order.parcels.clone(),
            warehouse_id: order.warehouse_id,
            backordered: order.status == Status::Backordered,
        }
    }
}

/// One of the two bookings of an order.
#[derive(Debug, Serialize, ToSchema)]
struct BookingOut<Id> {
    state: Booking,
    attempt: u32,
    // Said by hand: of a type that is a parameter, the document forgets that it may be absent.
    #[schema(value_type = Option<String>)]
    id: Option<Id>,
}

/// The saga of an order.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FulfilmentOut {
    order_id: OrderId,
    status: Status,
    /// What it waits for.
    step: Step,
    attempt: u32,
    /// Until when; absent when nothing is awaited, or a person has to decide.
    deadline: Option<Timestamp>,
    /// What keeps it from going on.
    failure: Option<HoldOut>,
    shipment: BookingOut<ShipmentId>,
    carrier: Option<String>,
    tracking_number: Option<String>,
    promised_at: Option<Timestamp>,
    pickup: BookingOut<PickupId>,
    pickup_window_start: Option<Timestamp>,
    pickup_window_end: Option<Timestamp>,
}

impl From<&OrderState> for FulfilmentOut {
    fn from(order: &OrderState) -> Self {
        let (f, step) = (order.fulfilment.clone(), order.step());
        Self {
            order_id: order.id,
            status: order.status,
            step,
            attempt: f.attempt(step),
            deadline: f.deadline,
            failure: order.hold.as_ref().map(HoldOut::from),
            shipment: BookingOut { state: f.shipment, attempt: f.shipment_attempt, id: f.shipment_id },
            carrier: f.carrier,
            tracking_number: f.tracking_number,
            promised_at: f.promised_at,
            pickup: BookingOut { state: f.pickup, attempt: f.pickup_attempt, id: f.pickup_id },
            pickup_window_start: f.window_start,
            pickup_window_end: f.window_end,
        }
    }
}
