//! What a merchant may still change of a placed order.

use jiff::Timestamp;
use quenty_contracts::{
    order::{OrderBackordered, OrderLine, OrderTotals, OrderUpdated, StockQuantity, WantedPickup},
    party::{Item, Parcel, Party},
};
use quenty_kernel::money::Money;

use super::{
    Order, OrderError, Payment, PaymentStatus, Status,
    facts::{OrderPickupWanted, OrderRepacked},
    people::Found,
    status::HoldCode,
    totals::{Extras, TotalsError},
};

/// What an update sets; `None` leaves a field as it is, `Some(None)` empties it.
#[derive(Debug, Default)]
pub struct OrderChanges {
    pub consignee: Option<Party>,
    pub notes: Option<Option<String>>,
    pub wanted_pickup: Option<Option<WantedPickup>>,
    pub lines: Option<ChangedLines>,
}

/// Other lines: added up, packed, and what there is of them.
#[derive(Debug)]
pub struct ChangedLines {
    pub lines: Vec<OrderLine>,
    pub totals: OrderTotals,
    pub items: Vec<Item>,
    pub parcels: Vec<Parcel>,
    pub goods: ChangedGoods,
}

/// What becomes of the goods when the lines change.
#[derive(Debug)]
pub enum ChangedGoods {
    /// The same pieces as before.
    Same,
    Found(Box<Found>),
    /// The order goes on waiting, now for these.
    Short(Vec<StockQuantity>),
}

impl Order {
    /// Address and notes can change until somebody has fetched the parcels: Shipping follows.
    pub fn check_updatable(&self) -> Result<(), OrderError> {
        let waits = matches!(self.status, Status::Pending | Status::Backordered);
        if waits || self.is_before_collection() { Ok(()) } else { Err(OrderError::NotUpdatable(self.status)) }
    }

    /// Lines can change until a shipment is asked for; what is paid, if only in part, keeps its total.
    pub fn check_lines_updatable(&self, total: Money) -> Result<(), OrderError> {
        if self.fulfilment.shipment.is_live() || self.fulfilment.pickup.is_live() {
            return Err(OrderError::LinesFixed);
        }
        let before = self.totals.total;
        let is_paid = self.payment_status.is_settled() && self.payment_status != PaymentStatus::CodPending;
        if (is_paid || !self.paid.is_zero()) && total != before {
            return Err(OrderError::TotalFixed(before));
        }
        Ok(())
    }

    /// What applies to the order as a whole, beside its lines.
    pub fn extras(&self) -> Result<Extras, TotalsError> {
        let beside = |all: Money, of_lines: &mut dyn Iterator<Item = Money>| {
            let of_lines = Money::total(all.currency(), of_lines)?;
            all.checked_sub(of_lines)
        };
        let at = |source| TotalsError::Money { pointer: "/lines".to_owned(), source };
        Ok(Extras {
            discount: Some(
                beside(self.totals.discount, &mut self.lines.iter().map(|line| line.discount)).map_err(at)?,
            ),
            shipping: Some(self.totals.shipping),
            tax: Some(beside(self.totals.tax, &mut self.lines.iter().map(|line| line.tax)).map_err(at)?),
        })
    }

    /// Changes it, and lets the saga go on where that makes it possible.
    pub fn update(&mut self, changes: OrderChanges, now: Timestamp) -> Result<(), OrderError> {
        self.check_updatable()?;
        let consignee = changes.consignee.unwrap_or_else(|| self.consignee.clone());
        if consignee.address.country() != self.consignee.address.country() {
            return Err(OrderError::CountryFixed);
        }
        let notes = changes.notes.unwrap_or_else(|| self.notes.clone());
        let (lines, totals, repacked) = match changes.lines {
            Some(new) => {
                self.check_lines_updatable(new.totals.total)?;
                (new.lines, new.totals, Some((new.items, new.parcels, new.goods)))
            }
            None => (self.lines.clone(), self.totals.clone(), None),
        };
        if let Some(wanted) = changes.wanted_pickup {
            self.want_pickup(wanted, now)?;
        }
        // The same lines are packed and declared otherwise once the catalogue says otherwise; and what expired is exchanged.
        let same_goods = repacked.as_ref().is_none_or(|(items, parcels, goods)| {
            (items, parcels) == (&self.items, &self.parcels) && matches!(goods, ChangedGoods::Same)
        });
        let same = (&consignee, &notes, &lines, &totals)
            == (&self.consignee, &self.notes, &self.lines, &self.totals);
        if same && same_goods {
            return Ok(());
        }
        self.happen(OrderUpdated { order_id: self.id, consignee, lines, totals, notes }, now);
        if let Some((items, parcels, goods)) = repacked {
            self.happen(OrderRepacked { order_id: self.id, items, parcels }, now);
            self.change_goods(goods, now);
        }
        Ok(())
    }

    /// A driver who was asked for already is rescheduled at Pickup.
    fn want_pickup(&mut self, wanted_pickup: Option<WantedPickup>, now: Timestamp) -> Result<(), OrderError> {
        if wanted_pickup == self.wanted_pickup {
            return Ok(());
        }
        if self.fulfilment.pickup.is_live() {
            return Err(OrderError::PickupFixed);
        }
        self.happen(OrderPickupWanted { order_id: self.id, wanted_pickup }, now);
        Ok(())
    }

    fn change_goods(&mut self, goods: ChangedGoods, now: Timestamp) {
        match goods {
            ChangedGoods::Same => {}
            ChangedGoods::Found(found) => self.allocated(*found, now),
            ChangedGoods::Short(missing) => {
                self.happen(OrderBackordered { order_id: self.id, missing }, now);
            }
        }
        let total = self.totals.total;
        if total.is_zero() && !matches!(self.payment_status, PaymentStatus::Paid) {
            self.record_paid(Payment { amount: total, reference: None }, now);
            self.resume_if(now, |code| code == HoldCode::PaymentMissing);
        }
        self.proceed(now);
    }
}
