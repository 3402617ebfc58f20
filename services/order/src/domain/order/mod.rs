//! The order, from the click to the door, together with its fulfilment saga.
//!
//! [`apply`] is the only place where an order changes: each method checks, builds the fact and lets it
//! happen. One piece of news may bring several facts; they wait in the order until they are recorded.

mod apply;
mod bookings;
mod circumstances;
mod exchange;
pub mod facts;
pub mod payments;
pub mod people;
mod pickups;
mod returns;
mod road;
pub mod status;
pub mod totals;
pub mod update;
#[cfg(test)]
mod walks;

use std::{collections::BTreeSet, ops::Deref};

use jiff::Timestamp;
use quenty_contracts::{
    order::{
        OrderBackordered, OrderCancelled, OrderConfirmed, OrderLine, OrderPickedUp, OrderPlaced,
        OrderReturnedToSender, OrderTotals, StockQuantity, WantedPickup,
    },
    party::{Item, Parcel, Party},
};
use quenty_kernel::{
    currency::Currency,
    id::{CompanyId, CustomerId, OrderId, ProductId, ReservationId, WarehouseId},
    money::Money,
};

pub use bookings::ShipmentNews;
pub(crate) use circumstances::Circumstances;
pub use facts::OrderFact;
pub use payments::Payment;
pub use pickups::PickupNews;
pub use returns::ReturnNews;
pub use road::Movement;
pub use status::{HoldCode, OrderKind, PaymentMethod, PaymentStatus, Status};

use super::fulfilment::{Fulfilment, Step};

/// Why a command on an order was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    #[error("there is no such order")]
    NotFound,
    #[error("the order is {}", .0.as_str())]
    NotCancellable(Status),
    #[error("the order is {}", .0.as_str())]
    NotUpdatable(Status),
    #[error("the lines are fixed once a shipment is asked for")]
    LinesFixed,
    #[error("a driver is asked for already")]
    PickupFixed,
    #[error("money was paid for the order: its total is fixed at {0}")]
    TotalFixed(Money),
    #[error("the order is {}", .0.as_str())]
    NotHoldable(Status),
    #[error("the consignee's country of a placed order is fixed")]
    CountryFixed,
    #[error("the order is on hold already: {}", .0.as_str())]
    AlreadyOnHold(HoldCode),
    #[error("the order is not on hold")]
    NotOnHold,
    #[error("the order waits for a retry: {}", .0.as_str())]
    NeedsRetry(HoldCode),
    #[error("nothing of the order has failed")]
    NothingToRetry,
    #[error("the order is paid {}", .0.as_str())]
    NotPrepaid(PaymentMethod),
    #[error("the order is paid already")]
    AlreadyPaid,
    #[error("the payment is not the {0} that is due")]
    AmountDiffers(Money),
    #[error("the order is {}", .0.as_str())]
    NotRefundable(Status),
    #[error("nothing of what was paid is left to be paid back")]
    NothingToRefund,
    #[error("{0} is no refund")]
    RefundNotPositive(Money),
    #[error("the order was paid in {0}")]
    RefundCurrency(Currency),
    #[error("{refund} cannot be paid back: {paid} was paid, and {refunded} of it is paid back")]
    RefundTooLarge { refund: Money, paid: Money, refunded: Money },
    #[error("the order is {}, so nothing of it can have come back yet", .0.as_str())]
    NotDelivered(Status),
    #[error("an order does not go from {} to {}", .from.as_str(), .to.as_str())]
    IllegalTransition { from: Status, to: Status },
    #[error("nobody sets an order {} by hand", .0.as_str())]
    NotSettable(Status),
    #[error("shipment and pickup are not both booked")]
    NotBooked,
}

/// A person has to look at the order before it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    pub code: HoldCode,
    pub reason: String,
}

/// All that is kept of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderState {
    pub id: OrderId,
    pub company_id: CompanyId,
    pub customer_id: Option<CustomerId>,
    pub external_reference: Option<String>,
    pub kind: OrderKind,
    pub status: Status,
    pub payment_method: PaymentMethod,
    pub payment_status: PaymentStatus,
    /// The sum of the payments that were recorded.
    pub paid: Money,
    /// What of it was paid back.
    pub refunded: Money,
    pub lines: Vec<OrderLine>,
    pub totals: OrderTotals,
    pub items: Vec<Item>,
    pub parcels: Vec<Parcel>,
    pub consignee: Party,
    pub sender: Party,
    pub warehouse_id: WarehouseId,
    pub reservation_id: Option<ReservationId>,
    pub wanted_pickup: Option<WantedPickup>,
    pub notes: Option<String>,
    pub stale_standing: bool,
    pub hold: Option<Hold>,
    /// Where the exception found the order.
    pub interrupted: Option<Status>,
    /// Why it is cancelled, or is to be. A wish that Pickup refused is kept until somebody has the parcels, or
    /// changes the order.
    pub cancel_reason: Option<String>,
    pub placed_at: Timestamp,
    pub picked_up_at: Option<Timestamp>,
    pub delivered_at: Option<Timestamp>,
    pub updated_at: Timestamp,
    pub version: i64,
    pub fulfilment: Fulfilment,
}

impl OrderState {
    #[must_use]
    pub fn products(&self) -> BTreeSet<ProductId> {
        self.lines.iter().map(|line| line.product_id).collect()
    }

    /// Whether the order may ship, but nobody has fetched it yet.
    #[must_use]
    pub fn is_before_collection(&self) -> bool {
        matches!(self.status, Status::Confirmed | Status::Processing | Status::Exception)
            && self.picked_up_at.is_none()
    }

    /// Whether the driver has the parcels and no shipment takes them on: theirs is void.
    #[must_use]
    pub fn is_stranded(&self) -> bool {
        matches!(self.status, Status::PickedUp | Status::Exception)
            && self.picked_up_at.is_some()
            && !self.fulfilment.has_shipment()
    }

    /// What the saga waits for.
    #[must_use]
    pub fn step(&self) -> Step {
        match self.status {
            Status::Pending => Step::Payment,
            Status::Backordered => Step::Stock,
            _ if self.is_before_collection() => {
                match (self.fulfilment.has_shipment(), self.fulfilment.has_pickup()) {
                    (false, _) => Step::Shipment,
                    (true, false) => Step::Pickup,
                    (true, true) => Step::Collection,
                }
            }
            _ if self.is_stranded() => Step::Shipment,
            Status::Confirmed
            | Status::Processing
            | Status::PickedUp
            | Status::InTransit
            | Status::Exception => Step::Delivery,
            Status::Undeliverable => Step::Return,
            Status::Cancelling => Step::Cancellation,
            Status::Delivered
            | Status::ReturnedToSender
            | Status::Lost
            | Status::PartiallyReturned
            | Status::Returned
            | Status::Cancelled => Step::Closed,
        }
    }
}

/// What happens to the goods together with a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoodsMove {
    /// They are not wanted any more: others may have them.
    Release,
    /// The driver has them.
    Issue,
    /// They are back in the warehouse.
    Return,
}

/// What has happened and is not yet written down.
#[derive(Debug, Default)]
#[must_use = "facts that are not recorded did not happen"]
pub struct News {
    pub facts: Vec<OrderFact>,
    pub goods: Vec<GoodsMove>,
}

/// An order; its state can be read by all and changed by its own methods only.
#[derive(Debug)]
pub struct Order {
    state: OrderState,
    news: News,
    /// The number of the deadline that has a task waiting for it.
    scheduled: Option<u32>,
    circumstances: Option<Circumstances>,
}

/// Deadlines whose tasks are to be taken back or begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rescheduling {
    pub over: Option<u32>,
    pub begins: Option<(u32, Timestamp)>,
}

impl Deref for Order {
    type Target = OrderState;
    fn deref(&self) -> &OrderState {
        &self.state
    }
}

/// How the goods of a new order stand.
#[derive(Debug, Clone, PartialEq)]
pub enum Allocation {
    Reserved(ReservationId),
    /// The order waits until all of it is there.
    Short(Vec<StockQuantity>),
}

/// A new order, all checks done, prices known, goods looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Placing {
    pub id: OrderId,
    pub company_id: CompanyId,
    pub customer_id: Option<CustomerId>,
    pub external_reference: Option<String>,
    pub kind: OrderKind,
    pub payment_method: PaymentMethod,
    pub lines: Vec<OrderLine>,
    pub totals: OrderTotals,
    pub items: Vec<Item>,
    pub parcels: Vec<Parcel>,
    pub consignee: Party,
    pub sender: Party,
    pub warehouse_id: WarehouseId,
    pub allocation: Allocation,
    pub wanted_pickup: Option<WantedPickup>,
    pub notes: Option<String>,
    pub stale_standing: bool,
    /// What was received before, at most the total.
    pub paid: Option<Payment>,
}

impl Order {
    /// Places an order and lets the saga go as far as it can.
    pub fn place(new: Placing, now: Timestamp) -> Self {
        let payment_status = match new.payment_method {
            // Nobody has to pay, nor to collect anything.
            _ if new.totals.total.is_zero() => PaymentStatus::Paid,
            PaymentMethod::CashOnDelivery => PaymentStatus::CodPending,
            PaymentMethod::Credit => PaymentStatus::OnCredit,
            PaymentMethod::Prepaid => PaymentStatus::Unpaid,
        };
        let (reservation_id, missing) = match new.allocation {
            Allocation::Reserved(id) => (Some(id), None),
            Allocation::Short(missing) => (None, Some(missing)),
        };
        let currency = new.totals.total.currency();
        let placed = OrderPlaced {
            order_id: new.id,
            company_id: new.company_id,
            customer_id: new.customer_id,
            external_reference: new.external_reference,
            kind: new.kind.as_str().to_owned(),
            payment_method: new.payment_method.as_str().to_owned(),
            payment_status: payment_status.as_str().to_owned(),
            currency,
            lines: new.lines,
            totals: new.totals,
            consignee: new.consignee,
            sender: new.sender,
            items: new.items,
            parcels: new.parcels,
            warehouse_id: new.warehouse_id,
            reservation_id,
            wanted_pickup: new.wanted_pickup,
            notes: new.notes,
            stale_standing: new.stale_standing,
        };
        let state = OrderState::placed(&placed, (new.kind, new.payment_method, payment_status), now);
        let news = News { facts: vec![placed.into()], goods: vec![] };
        let mut order = Self { state, news, scheduled: None, circumstances: None };
        if let Some(missing) = missing {
            order.happen(OrderBackordered { order_id: order.id, missing }, now);
        }
        if let Some(payment) = new.paid.filter(|payment| !payment.amount.is_zero())
            && payment_status == PaymentStatus::Unpaid
        {
            order.record_paid(payment, now);
        }
        order.proceed(now);
        order
    }

    /// The way back from storage.
    #[must_use]
    pub fn restore(state: OrderState) -> Self {
        let scheduled = state.fulfilment.deadline.map(|_| state.fulfilment.deadline_number);
        Self { state, news: News::default(), scheduled, circumstances: None }
    }

    /// Which deadline is over and which begins, since it was loaded.
    pub fn take_rescheduling(&mut self) -> Rescheduling {
        let f = &self.state.fulfilment;
        let current = f.deadline.map(|deadline| (f.deadline_number, deadline));
        let number = current.map(|(number, _)| number);
        let before = std::mem::replace(&mut self.scheduled, number);
        if before == number {
            Rescheduling { over: None, begins: None }
        } else {
            Rescheduling { over: before, begins: current }
        }
    }

    /// What has happened since it was loaded; the caller records it.
    pub fn take_news(&mut self) -> News {
        std::mem::take(&mut self.news)
    }

    /// Lets a fact happen: the state changes by [`apply`] alone.
    fn happen(&mut self, fact: impl Into<OrderFact>, now: Timestamp) {
        let fact = fact.into();
        match &fact {
            OrderFact::Cancelled(OrderCancelled { .. }) => self.news.goods.push(GoodsMove::Release),
            OrderFact::PickedUp(OrderPickedUp { .. }) => self.news.goods.push(GoodsMove::Issue),
            OrderFact::ReturnedToSender(OrderReturnedToSender { .. }) => {
                self.news.goods.push(GoodsMove::Return)
            }
            _ => {}
        }
        self.state.apply(&fact, now);
        self.news.facts.push(fact);
    }

    /// Asks for whatever comes next, unless a person has to decide first.
    fn proceed(&mut self, now: Timestamp) {
        if self.hold.is_some() {
            return;
        }
        self.follow_warehouse(now);
        if let Some((code, why)) = self.obstacle() {
            return self.fail(code, why, now);
        }
        if self.status == Status::Pending && self.payment_status.is_settled() {
            self.happen(OrderConfirmed { order_id: self.id }, now);
        }
        self.book(now);
    }
}
