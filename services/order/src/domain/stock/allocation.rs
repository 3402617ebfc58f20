//! Which warehouse serves an order, and which batches in it.

use std::collections::BTreeMap;

use jiff::civil::Date;
use quenty_kernel::{
    geo::GeoPoint,
    id::{ProductId, WarehouseId},
};
use serde::Serialize;

use super::{MovementKind, Note, Stock, StockError};

/// What was wanted of a product, and what there is: told to the caller as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shortage {
    pub product_id: ProductId,
    pub wanted: u32,
    pub available: Vec<AvailableAt>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AvailableAt {
    pub warehouse_id: WarehouseId,
    pub warehouse: String,
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
pub(crate) fn sum_by_product(lines: &[(ProductId, u32)]) -> Result<BTreeMap<ProductId, u32>, StockError> {
    let mut wants = BTreeMap::new();
    for (product, quantity) in lines {
        let sum: &mut u32 = wants.entry(*product).or_default();
        *sum = sum.checked_add(*quantity).ok_or(StockError::QuantityTooLarge)?;
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
        let warehouse = self
            .by_preference(preference)
            .into_iter()
            .find(|warehouse| {
                wants.iter().all(|(product, quantity)| {
                    self.available_at(*product, *warehouse, Some(today)) >= i64::from(*quantity)
                })
            })
            .ok_or_else(|| StockError::Insufficient(self.shortages(wants, Some(today))))?;
        for (product, quantity) in wants {
            self.pick(MovementKind::Reserve, *product, warehouse, *quantity, Some(today), note)?;
        }
        Ok(warehouse)
    }

    /// Sends pieces out of one warehouse, first expiry first; what has expired may travel too.
    pub(crate) fn send_out(
        &mut self,
        wants: &BTreeMap<ProductId, u32>,
        warehouse: WarehouseId,
        note: &Note,
    ) -> Result<(), StockError> {
        for (product, quantity) in wants {
            self.company_of(*product)?;
            if self.available_at(*product, warehouse, None) < i64::from(*quantity) {
                return Err(StockError::Insufficient(self.shortages(wants, None)));
            }
            self.pick(MovementKind::TransferOut, *product, warehouse, *quantity, None, note)?;
        }
        Ok(())
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
        let is_fresh =
            today.is_none_or(|today| place.expires_on().is_none_or(|expires_on| expires_on > today));
        place.product_id == product && place.warehouse_id == warehouse && is_fresh
    }

    fn available_at(&self, product: ProductId, warehouse: WarehouseId, today: Option<Date>) -> i64 {
        (0..self.items.len())
            .filter(|index| self.is_at(*index, product, warehouse, today))
            .map(|index| self.items[index].available())
            .sum()
    }

    fn by_preference(&self, preference: &Preference) -> Vec<WarehouseId> {
        let mut ranked: Vec<_> = self
            .sites
            .iter()
            .map(|(id, site)| {
                let distance = preference
                    .near
                    .zip(site.location)
                    .map_or(f64::INFINITY, |(here, there)| here.distance_meters(&there));
                (preference.warehouse != Some(*id), distance, !site.is_default, *id)
            })
            .collect();
        ranked
            .sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)).then(a.3.cmp(&b.3)));
        ranked.into_iter().map(|(.., id)| id).collect()
    }

    /// Of every product that was wanted: one that there is enough of may lie in another warehouse than the rest.
    pub(super) fn shortages(&self, wants: &BTreeMap<ProductId, u32>, today: Option<Date>) -> Vec<Shortage> {
        let of = |product: ProductId| {
            let at = |(warehouse, site): (&WarehouseId, &super::Site)| AvailableAt {
                warehouse_id: *warehouse,
                warehouse: site.name.clone(),
                available: self.available_at(product, *warehouse, today),
            };
            self.sites.iter().map(at).filter(|at| at.available > 0).collect()
        };
        wants
            .iter()
            .map(|(product, wanted)| Shortage {
                product_id: *product,
                wanted: *wanted,
                available: of(*product),
            })
            .collect()
    }
}
