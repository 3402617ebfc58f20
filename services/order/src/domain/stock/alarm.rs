//! Low stock is told once, at the edge, and ends only well above it, so that it never flutters.

use jiff::civil::Date;
use quenty_contracts::order::{StockFellLow, StockRecovered};
use quenty_kernel::id::{CompanyId, ProductId};

use super::Stock;
use crate::domain::product::ProductFact;

/// The alarm of one product, over all its warehouses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level {
    pub(crate) company_id: CompanyId,
    pub(crate) reorder_point: Option<u32>,
    pub(crate) is_low: bool,
}

impl Level {
    /// Above this it has recovered: a fifth above the reorder point, at least one piece.
    fn recovery_point(reorder_point: u32) -> i64 {
        i64::from(reorder_point) + i64::from(reorder_point.div_ceil(5)).max(1)
    }

    fn crossing(&self, product_id: ProductId, available: i64) -> Option<ProductFact> {
        let reorder_point = self.reorder_point?;
        let company_id = self.company_id;
        if !self.is_low && available <= i64::from(reorder_point) {
            return Some(StockFellLow { product_id, company_id, available, reorder_point }.into());
        }
        let has_recovered = self.is_low && available > Self::recovery_point(reorder_point);
        has_recovered.then(|| StockRecovered { product_id, company_id, available, reorder_point }.into())
    }
}

impl Stock {
    /// Which products fell low or recovered, now that everything is posted. What has expired by `today` is nothing to sell.
    pub(crate) fn alarms(&mut self, today: Option<Date>) -> Vec<(ProductId, ProductFact)> {
        let mut told = Vec::new();
        for (product, level) in &mut self.levels {
            let available = self
                .items
                .iter()
                .filter(|item| item.place.product_id == *product && item.place.is_fresh(today))
                .map(super::StockItem::available)
                .sum();
            if let Some(fact) = level.crossing(*product, available) {
                level.is_low = matches!(fact, ProductFact::FellLow(_));
                told.push((*product, fact));
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(is_low: bool, reorder_point: Option<u32>, available: i64) -> Option<bool> {
        let level = Level { company_id: CompanyId::new(), reorder_point, is_low };
        level.crossing(ProductId::new(), available).map(|fact| matches!(fact, ProductFact::FellLow(_)))
    }

    #[test]
    fn it_falls_at_the_reorder_point_and_recovers_a_fifth_above() {
        assert_eq!(after(false, Some(10), 11), None);
        assert_eq!(after(false, Some(10), 10), Some(true));
        assert_eq!(after(true, Some(10), 3), None);
        assert_eq!(after(true, Some(10), 12), None);
        assert_eq!(after(true, Some(10), 13), Some(false));
    }

    #[test]
    fn the_margin_is_at_least_one_piece() {
        assert_eq!(after(true, Some(0), 1), None);
        assert_eq!(after(true, Some(0), 2), Some(false));
        assert_eq!(after(true, Some(3), 4), None);
        assert_eq!(after(true, Some(3), 5), Some(false));
    }

    #[test]
    fn without_a_reorder_point_nothing_is_told() {
        assert_eq!(after(false, None, 0), None);
    }
}
