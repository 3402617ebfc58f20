//! Which warehouse serves an order, and which batches in it.
//!
//! First come, first served: an order waits for the products that there is not enough of anywhere, or that an
//! earlier order waits for; what it waits for is promised to it before any later order. What an order needs
//! beside them it does not keep from others.

use std::collections::BTreeMap;

use jiff::civil::Date;
use quenty_kernel::{
    contact::Text,
    geo::GeoPoint,
    id::{ProductId, WarehouseId},
};
use serde::Serialize;

use super::{MovementKind, Note, Place, Stock, StockError};
use crate::domain::{
    transfer::Route,
    warehouse::{Warehouse, WarehouseDetails},
};

/// What was wanted of a product, and what there is: told to the caller as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shortage {
    pub product_id: ProductId,
    pub wanted: u32,
    /// Nowhere, if orders that came before wait for it.
    pub available: Vec<AvailableAt>,
    /// Of a place that was named: what else of the product lies in its warehouse.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub batches: Vec<AvailableIn>,
}

impl Shortage {
    /// Whether no warehouse has enough of it.
    pub(crate) fn is_everywhere(&self) -> bool {
        self.available.iter().all(|at| at.available < i64::from(self.wanted))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AvailableAt {
    pub warehouse_id: WarehouseId,
    pub warehouse: String,
    pub available: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AvailableIn {
    /// Absent for pieces without a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<Text<60>>,
    pub available: i64,
}

/// Which warehouse to try first.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Preference {
    /// Before all others.
    pub(crate) warehouse: Option<WarehouseId>,
    /// Then the nearest to here; without a place, the default warehouse.
    pub(crate) near: Option<GeoPoint>,
}

/// The quantities of an order, the same product on several lines summed.
///
/// # Errors
/// When they add up to more than a `u32`.
pub(crate) fn sum_by_product(
    lines: impl IntoIterator<Item = (ProductId, u32)>,
) -> Result<BTreeMap<ProductId, u32>, StockError> {
    let mut wants = BTreeMap::new();
    for (product, quantity) in lines {
        let sum: &mut u32 = wants.entry(product).or_default();
        *sum = sum.checked_add(quantity).ok_or(StockError::QuantityTooLarge)?;
    }
    Ok(wants)
}

impl Stock {
    /// Sets the whole order aside in the first warehouse that holds all of it, first expiry first out.
    /// What has expired today is not for sale.
    pub(crate) fn reserve(
        &mut self,
        wants: &BTreeMap<ProductId, u32>,
        preference: &Preference,
        today: Date,
        note: &Note,
    ) -> Result<WarehouseId, StockError> {
        wants.keys().try_for_each(|product| self.company_of(*product).map(drop))?;
        let is_promised = wants.keys().any(|product| self.promised.contains(product));
        let warehouse = self
            .by_preference(preference)
            .into_iter()
            .find(|warehouse| {
                !is_promised
                    && wants.iter().all(|(product, quantity)| {
                        self.available_at(*product, *warehouse, Some(today)) >= i64::from(*quantity)
                    })
            })
            .ok_or_else(|| StockError::Insufficient(self.shortages(wants, Some(today))))?;
        for (product, quantity) in wants {
            self.pick(MovementKind::Reserve, *product, warehouse, *quantity, Some(today), note)?;
        }
        Ok(warehouse)
    }

    /// Goods come in for one order, whoever else waits: exactly what it wants, where nothing else is looked for.
    pub(crate) fn receive_for(
        &mut self,
        wants: &BTreeMap<ProductId, u32>,
        warehouse: &Warehouse,
        note: &Note,
    ) -> Result<(), StockError> {
        for (product_id, quantity) in wants {
            let place = Place { product_id: *product_id, warehouse_id: warehouse.id(), batch: None };
            self.put(MovementKind::Receipt, &place, *quantity, note)?;
        }
        self.warehouses.insert(warehouse.id(), warehouse.details().clone());
        self.promised.clear();
        Ok(())
    }

    /// Sends pieces on their way, first expiry first; what has expired may travel too.
    pub(crate) fn send_out(
        &mut self,
        wants: &BTreeMap<ProductId, u32>,
        route: Route,
        note: &Note,
    ) -> Result<(), StockError> {
        for (product, quantity) in wants {
            self.company_of(*product)?;
            if self.available_at(*product, route.from(), None) < i64::from(*quantity) {
                return Err(StockError::Insufficient(self.shortages(wants, None)));
            }
            self.pick(MovementKind::TransferOut, *product, route.from(), *quantity, None, note)?;
        }
        let differs = self.posted.iter().any(|movement| self.is_known_otherwise(&movement.place, route.to()));
        if differs { Err(StockError::ExpiryDiffers) } else { Ok(()) }
    }

    /// Whether the warehouse has the batch with another expiry date: then it could not be received there.
    fn is_known_otherwise(&self, from: &Place, to: WarehouseId) -> bool {
        let there = Place { warehouse_id: to, ..from.clone() };
        let known = self.position(&there).map(|index| self.items[index].place.expires_on());
        from.expires_on().is_some() && known.is_some_and(|known| known != from.expires_on())
    }

    fn pick(
        &mut self,
        kind: MovementKind,
        product: ProductId,
        warehouse: WarehouseId,
        quantity: u32,
        today: Option<Date>,
        note: &Note,
    ) -> Result<(), StockError> {
        let mut missing = i64::from(quantity);
        for index in self.first_expiry_first(product, warehouse, today) {
            let pieces = missing.min(self.items[index].available());
            if pieces > 0 {
                let (on_hand, reserved) =
                    if kind == MovementKind::Reserve { (0, pieces) } else { (-pieces, 0) };
                self.post(index, kind, on_hand, reserved, note)?;
                missing -= pieces;
            }
        }
        if missing == 0 {
            Ok(())
        } else {
            Err(StockError::Insufficient(self.shortages(&[(product, quantity)].into(), today)))
        }
    }

    /// What expires first comes first, what never expires last.
    fn first_expiry_first(
        &self,
        product: ProductId,
        warehouse: WarehouseId,
        today: Option<Date>,
    ) -> Vec<usize> {
        let mut indices: Vec<usize> =
            (0..self.items.len()).filter(|index| self.is_at(*index, product, warehouse, today)).collect();
        indices.sort_by_key(|index| {
            let item = &self.items[*index];
            (item.place.expires_on().unwrap_or(Date::MAX), item.id)
        });
        indices
    }

    fn is_at(&self, index: usize, product: ProductId, warehouse: WarehouseId, today: Option<Date>) -> bool {
        let place = &self.items[index].place;
        place.product_id == product && place.warehouse_id == warehouse && place.is_fresh(today)
    }

    fn available_at(&self, product: ProductId, warehouse: WarehouseId, today: Option<Date>) -> i64 {
        (0..self.items.len())
            .filter(|index| self.is_at(*index, product, warehouse, today))
            .map(|index| self.items[index].available())
            .sum()
    }

    fn by_preference(&self, preference: &Preference) -> Vec<WarehouseId> {
        let mut ranked: Vec<_> = self
            .warehouses
            .iter()
            .map(|(id, warehouse)| {
                let distance = preference
                    .near
                    .zip(warehouse.address.location())
                    .map_or(f64::INFINITY, |(here, there)| here.distance_meters(&there));
                (preference.warehouse != Some(*id), distance, !warehouse.is_default, *id)
            })
            .collect();
        ranked
            .sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)).then(a.3.cmp(&b.3)));
        ranked.into_iter().map(|(.., id)| id).collect()
    }

    /// Of every product that was wanted: one that there is enough of may lie in another warehouse than the rest.
    fn shortages(&self, wants: &BTreeMap<ProductId, u32>, today: Option<Date>) -> Vec<Shortage> {
        let of = |product: ProductId| {
            let at = |(id, warehouse): (&WarehouseId, &WarehouseDetails)| AvailableAt {
                warehouse_id: *id,
                warehouse: warehouse.name.as_str().to_owned(),
                available: self.available_at(product, *id, today),
            };
            let is_free = |at: &AvailableAt| at.available > 0 && !self.promised.contains(&product);
            self.warehouses.iter().map(at).filter(is_free).collect()
        };
        wants
            .iter()
            .map(|(product, wanted)| Shortage {
                product_id: *product,
                wanted: *wanted,
                available: of(*product),
                batches: Vec::new(),
            })
            .collect()
    }

    /// What there is in exactly this place, and in the others of its warehouse, first expiry first.
    pub(super) fn shortage_in(&self, place: &Place, wanted: u32) -> Shortage {
        let (product_id, warehouse_id) = (place.product_id, place.warehouse_id);
        let mut shortage = Shortage { product_id, wanted, available: Vec::new(), batches: Vec::new() };
        let indices = self.first_expiry_first(product_id, warehouse_id, None);
        for item in indices.into_iter().map(|index| &self.items[index]).filter(|item| item.available() > 0) {
            let available = item.available();
            if item.place.is(place) {
                let warehouse = self.warehouses.get(&warehouse_id);
                let warehouse = warehouse.map(|details| details.name.as_str().to_owned()).unwrap_or_default();
                shortage.available.push(AvailableAt { warehouse_id, warehouse, available });
            } else {
                let number = item.place.batch.as_ref().map(|batch| batch.number.clone());
                shortage.batches.push(AvailableIn { number, available });
            }
        }
        shortage
    }
}
