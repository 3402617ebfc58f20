//! The footprint of a return: what bringing the goods back emitted, and what using them again saves
//! (design/services/returns.md, "Rules").
//!
//! Must never hold a factor: those are dated data with a source, and what is computed names the set that it is from.
//! Must never pass what is unknown as zero.

use std::collections::BTreeMap;

use jiff::Timestamp;
use quenty_kernel::{geo::GeoPoint, measure::Grams};
use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{class::GoodsClass, disposition::Kind, words::WayBack};

/// By how much roads are longer than the line through the air: mostly 1.2 to 1.4 (Ballou, Rahardja, Sakai: Selected
/// country circuity factors for road travel distance estimation, Transportation Research Part A, 2002).
const DETOUR: f64 = 1.3;

quenty_kernel::words! {
    /// What the goods came back in.
    pub(crate) enum Vehicle ("vehicle") {
        Van = "van",
        Truck = "truck",
    }
}

impl Vehicle {
    /// A driver collects with a van; what travels by label goes by truck. What a buyer brings is carried by no vehicle
    /// of ours, and there is no published factor for a parcel in somebody's car.
    pub(crate) const fn of(way_back: WayBack) -> Option<Self> {
        match way_back {
            WayBack::Pickup => Some(Self::Van),
            WayBack::Label => Some(Self::Truck),
            WayBack::DropOff => None,
        }
    }
}

/// Emission factors that were published together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FactorSet {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Where it was published.
    pub(crate) source: String,
    pub(crate) valid_from: Timestamp,
    /// Grams of CO2e per tonne-kilometre.
    pub(crate) vehicles: BTreeMap<Vehicle, Decimal>,
    /// Grams of CO2e that making a kilogram of goods emitted, by class and, in lower case, by category.
    pub(crate) goods: BTreeMap<String, Decimal>,
}

impl FactorSet {
    /// The factor of the category, else that of the class.
    fn goods(&self, class: GoodsClass, category: Option<&str>) -> Option<Decimal> {
        let of_category = category.and_then(|category| self.goods.get(&category.to_lowercase()));
        of_category.or_else(|| self.goods.get(class.as_str())).copied()
    }
}

/// The way back, from the buyer to the warehouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leg {
    pub(crate) from: Option<GeoPoint>,
    pub(crate) to: Option<GeoPoint>,
    pub(crate) vehicle: Option<Vehicle>,
}

impl Leg {
    /// An estimate: the line through the air with the usual detour. Nothing where a place is unknown.
    pub(crate) fn distance_meters(&self) -> Option<u64> {
        let direct = self.from?.distance_meters(&self.to?);
        Decimal::from_f64_retain(direct * DETOUR).and_then(whole)
    }
}

/// A unit, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DisposedUnit {
    pub(crate) weight: Grams,
    pub(crate) class: GoodsClass,
    pub(crate) category: Option<String>,
    pub(crate) kind: Kind,
}

/// The footprint of one return, with the factors that it was computed by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct EnvironmentalRecord {
    /// Absent when it is not known where the goods came from.
    pub(crate) distance_meters: Option<u64>,
    pub(crate) weight_grams: u64,
    pub(crate) vehicle: Option<Vehicle>,
    /// What bringing the goods back emitted; absent when distance or vehicle is unknown.
    pub(crate) return_leg_g_co2e: Option<u64>,
    /// What was not emitted because units that are sold again or refurbished take the place of new ones.
    pub(crate) avoided_g_co2e: u64,
    /// The weight of everything that was not destroyed.
    pub(crate) waste_diverted_grams: u64,
    #[schema(example = "UK Government GHG Conversion Factors for Company Reporting")]
    pub(crate) factor_set: String,
    #[schema(example = "2025")]
    pub(crate) factor_version: String,
}

/// Computes the footprint of a return.
///
/// The avoided emissions take each unit that is sold again for one that need not be made: an upper bound. A class of
/// goods without a factor adds nothing to them.
pub(crate) fn record(factors: &FactorSet, leg: &Leg, units: &[DisposedUnit]) -> EnvironmentalRecord {
    let weight_of = |counts: fn(Kind) -> bool| -> u64 {
        units.iter().filter(|unit| counts(unit.kind)).map(|unit| u64::from(unit.weight.get())).sum()
    };
    let weight_grams = weight_of(|_| true);
    let distance_meters = leg.distance_meters();
    let factor = leg.vehicle.and_then(|vehicle| factors.vehicles.get(&vehicle));
    let return_leg_g_co2e = distance_meters.zip(factor).and_then(|(meters, per_tonne_kilometre)| {
        // A gram carried for a metre is a billionth of a tonne-kilometre.
        let gram_meters = Decimal::from(meters).checked_mul(Decimal::from(weight_grams))?;
        whole(gram_meters.checked_mul(*per_tonne_kilometre)? / Decimal::from(1_000_000_000))
    });
    let avoided = |unit: &DisposedUnit| -> Option<Decimal> {
        let per_kilogram = factors.goods(unit.class, unit.category.as_deref())?;
        replaces_a_new_one(unit.kind).then_some(Decimal::new(unit.weight.get().into(), 3) * per_kilogram)
    };
    EnvironmentalRecord {
        distance_meters,
        weight_grams,
        vehicle: leg.vehicle,
        return_leg_g_co2e,
        avoided_g_co2e: whole(units.iter().filter_map(avoided).sum()).unwrap_or_default(),
        waste_diverted_grams: weight_of(|kind| kind != Kind::Destroy),
        factor_set: factors.name.clone(),
        factor_version: factors.version.clone(),
    }
}

const fn replaces_a_new_one(kind: Kind) -> bool {
    matches!(kind, Kind::ResellAsNew | Kind::ResellOpenBox | Kind::Refurbish)
}

/// To the nearest whole one, a half to the even.
fn whole(exact: Decimal) -> Option<u64> {
    exact.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven).to_u64()
}

#[cfg(test)]
mod tests;
