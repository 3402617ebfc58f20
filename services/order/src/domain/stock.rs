//! What lies where, and every change of it as a movement of the ledger.
//!
//! [`Stock`] is all stock of some products, in every warehouse and batch, read under the lock of these
//! products. A change posts movements; what is in memory and what the ledger says never part.

mod alarm;
mod allocation;
mod manual;
mod movement;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use quenty_contracts::order::StockQuantity;
use quenty_kernel::{
    contact::Text,
    id::{CompanyId, MovementId, ProductId, WarehouseId, new_uuid},
};
use uuid::Uuid;

use super::warehouse::WarehouseDetails;

pub(crate) use alarm::Level;
pub(crate) use allocation::{Preference, Shortage, sum_by_product};
pub(crate) use manual::{MAX_PIECES, ManualKind, ManualMovement};
pub(crate) use movement::{Link, Movement, MovementKind, Note};

/// More of one product than this in one place is a typing error; it also keeps every sum within `i64`.
const MAX_ON_HAND: i64 = 1_000_000_000_000;

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StockError {
    #[error("the company has no product {0}")]
    UnknownProduct(ProductId),
    #[error("the company has no warehouse {0}")]
    UnknownWarehouse(WarehouseId),
    #[error("there is not enough stock")]
    Insufficient(Vec<Shortage>),
    #[error("there is not enough in that place")]
    TooLittleThere(Shortage),
    #[error("there would be more of a product than can be kept")]
    QuantityTooLarge,
    #[error("the batch is known with another expiry date")]
    ExpiryDiffers,
    #[error("{field}: {why}")]
    MovementNeeds { field: &'static str, why: &'static str },
}

/// A lot of one product that was made, and goes bad, together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    /// The number that its maker gave it.
    pub(crate) number: Text<60>,
    pub(crate) expires_on: Option<Date>,
}

/// Where something lies: a product in a warehouse, by batch if it has batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) product_id: ProductId,
    pub(crate) warehouse_id: WarehouseId,
    pub(crate) batch: Option<Batch>,
}

impl Place {
    /// The same place, whatever is said of the expiry date.
    fn is(&self, other: &Self) -> bool {
        let number = |place: &Self| place.batch.as_ref().map(|batch| batch.number.clone());
        self.product_id == other.product_id
            && self.warehouse_id == other.warehouse_id
            && number(self) == number(other)
    }

    fn expires_on(&self) -> Option<Date> {
        self.batch.as_ref().and_then(|batch| batch.expires_on)
    }

    /// Whether it has not expired by that day; without one, nothing has.
    fn is_fresh(&self, today: Option<Date>) -> bool {
        today.is_none_or(|today| self.expires_on().is_none_or(|expires_on| expires_on > today))
    }
}

/// How much lies in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StockItem {
    pub(crate) id: Uuid,
    pub(crate) place: Place,
    pub(crate) on_hand: i64,
    pub(crate) reserved: i64,
    /// Has no row yet.
    pub(crate) is_new: bool,
}

impl StockItem {
    pub(crate) fn available(&self) -> i64 {
        self.on_hand - self.reserved
    }
}

/// Some pieces of one stock item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pick {
    pub(crate) item_id: Uuid,
    pub(crate) quantity: u32,
}

/// All stock of some products, and the movements that this transaction posts.
#[derive(Debug, Clone)]
pub(crate) struct Stock {
    pub(crate) levels: BTreeMap<ProductId, Level>,
    /// Where anything of the products lies.
    pub(crate) warehouses: BTreeMap<WarehouseId, WarehouseDetails>,
    pub(crate) items: Vec<StockItem>,
    /// What orders wait for that came before the one that this is read for.
    promised: BTreeSet<ProductId>,
    posted: Vec<Movement>,
}

impl Stock {
    /// What was read under the lock.
    pub(crate) fn new(
        levels: BTreeMap<ProductId, Level>,
        warehouses: BTreeMap<WarehouseId, WarehouseDetails>,
        items: Vec<StockItem>,
        promised: BTreeSet<ProductId>,
    ) -> Self {
        Self { levels, warehouses, items, promised, posted: Vec::new() }
    }

    pub(crate) fn posted(&self) -> &[Movement] {
        &self.posted
    }

    pub(crate) fn new_items(&self) -> impl Iterator<Item = &StockItem> {
        self.items.iter().filter(|item| item.is_new)
    }

    pub(crate) fn company_of(&self, product: ProductId) -> Result<CompanyId, StockError> {
        self.levels.get(&product).map(|level| level.company_id).ok_or(StockError::UnknownProduct(product))
    }

    /// Whose day decides what of it has expired; nobody's, where nothing ever does.
    pub(crate) fn company_of_perishables(&self) -> Option<CompanyId> {
        let perishable = self.items.iter().find(|item| item.place.expires_on().is_some())?;
        self.company_of(perishable.place.product_id).ok()
    }

    /// What was posted of one kind, in the words of the published language.
    pub(crate) fn quantities(&self, kind: MovementKind) -> Vec<StockQuantity> {
        self.posted.iter().filter(|movement| movement.kind == kind).map(Movement::stock_quantity).collect()
    }

    /// Of which products more can be had than before.
    pub(crate) fn made_available(&self) -> BTreeSet<ProductId> {
        let mut more = BTreeMap::<ProductId, i64>::new();
        for movement in &self.posted {
            *more.entry(movement.place.product_id).or_default() +=
                movement.on_hand_delta - movement.reserved_delta;
        }
        more.into_iter().filter(|(_, pieces)| *pieces > 0).map(|(product, _)| product).collect()
    }

    /// Puts pieces in a place, which may be a new one.
    pub(crate) fn put(
        &mut self,
        kind: MovementKind,
        place: &Place,
        quantity: u32,
        note: &Note,
    ) -> Result<MovementId, StockError> {
        let index = self.place_index(place)?;
        self.post(index, kind, i64::from(quantity), 0, note)
    }

    /// Pieces of a transfer arrive, or sold ones come back. What the warehouse knows of the batch holds: the goods are
    /// there.
    pub(crate) fn arrive(
        &mut self,
        kind: MovementKind,
        place: &Place,
        quantity: u32,
        note: &Note,
    ) -> Result<(), StockError> {
        let index = match self.position(place) {
            Some(index) => index,
            None => self.place_index(place)?,
        };
        self.post(index, kind, i64::from(quantity), 0, note)?;
        Ok(())
    }

    /// The batch with the earliest expiry date that is known of it, wherever it lies.
    pub(crate) fn batch_of(&self, product: ProductId, number: Text<60>) -> Batch {
        let places = self.items.iter().map(|item| &item.place).filter(|place| place.product_id == product);
        let batches = places.filter_map(|place| place.batch.as_ref()).filter(|batch| batch.number == number);
        let expires_on = batches.filter_map(|batch| batch.expires_on).min();
        Batch { number, expires_on }
    }

    /// Takes available pieces out of exactly this place.
    pub(crate) fn take(
        &mut self,
        kind: MovementKind,
        place: &Place,
        quantity: u32,
        note: &Note,
    ) -> Result<MovementId, StockError> {
        self.company_of(place.product_id)?;
        let index = self
            .position(place)
            .filter(|index| self.items[*index].available() >= i64::from(quantity))
            .ok_or_else(|| StockError::TooLittleThere(self.shortage_in(place, quantity)))?;
        self.post(index, kind, -i64::from(quantity), 0, note)
    }

    /// Ends a reservation: its pieces leave ([`MovementKind::Issue`]) or are for sale again ([`MovementKind::Release`]).
    pub(crate) fn settle(
        &mut self,
        kind: MovementKind,
        picks: &[Pick],
        note: &Note,
    ) -> Result<(), StockError> {
        for pick in picks {
            let index = self.item_index(pick.item_id)?;
            let quantity = i64::from(pick.quantity);
            let on_hand = if kind == MovementKind::Issue { -quantity } else { 0 };
            self.post(index, kind, on_hand, -quantity, note)?;
        }
        Ok(())
    }

    /// An order that wants no more of a product than it held keeps it, whoever waits.
    pub(crate) fn keep_what_is_held(
        &mut self,
        held: &BTreeMap<ProductId, u32>,
        wants: &BTreeMap<ProductId, u32>,
    ) {
        self.promised.retain(|product| wants.get(product) > held.get(product));
    }

    /// Pieces that were issued come back to where they were.
    pub(crate) fn take_back(&mut self, picks: &[Pick], note: &Note) -> Result<(), StockError> {
        for pick in picks {
            let index = self.item_index(pick.item_id)?;
            self.post(index, MovementKind::Return, i64::from(pick.quantity), 0, note)?;
        }
        Ok(())
    }

    fn item_index(&self, id: Uuid) -> Result<usize, StockError> {
        // A reservation's pieces are read with their item's product locked, so they are among the items.
        self.items.iter().position(|item| item.id == id).ok_or_else(|| StockError::Insufficient(Vec::new()))
    }

    fn place_index(&mut self, place: &Place) -> Result<usize, StockError> {
        self.company_of(place.product_id)?;
        if let Some(index) = self.position(place) {
            let (known, told) = (self.items[index].place.expires_on(), place.expires_on());
            return if told.is_some() && told != known { Err(StockError::ExpiryDiffers) } else { Ok(index) };
        }
        self.items.push(StockItem {
            id: new_uuid(),
            place: place.clone(),
            on_hand: 0,
            reserved: 0,
            is_new: true,
        });
        Ok(self.items.len() - 1)
    }

    fn position(&self, place: &Place) -> Option<usize> {
        self.items.iter().position(|item| item.place.is(place))
    }

    /// The only place where stock changes.
    fn post(
        &mut self,
        index: usize,
        kind: MovementKind,
        on_hand_delta: i64,
        reserved_delta: i64,
        note: &Note,
    ) -> Result<MovementId, StockError> {
        let company_id = self.company_of(self.items[index].place.product_id)?;
        let item = &mut self.items[index];
        let (on_hand, reserved) = (item.on_hand + on_hand_delta, item.reserved + reserved_delta);
        if on_hand > MAX_ON_HAND {
            return Err(StockError::QuantityTooLarge);
        }
        if !(0..=on_hand).contains(&reserved) {
            return Err(StockError::Insufficient(Vec::new()));
        }
        (item.on_hand, item.reserved) = (on_hand, reserved);
        let movement = Movement {
            id: MovementId::new(),
            company_id,
            item_id: item.id,
            place: item.place.clone(),
            kind,
            on_hand_delta,
            reserved_delta,
            note: note.clone(),
        };
        let id = movement.id;
        self.posted.push(movement);
        Ok(id)
    }
}
