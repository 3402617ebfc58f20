//! What the ways to use a unit cost a company.
//!
//! Must never convert a currency: an amount counts for units that are valued in its currency.

use std::collections::BTreeSet;

use quenty_kernel::{
    Invalid,
    measure::Bps,
    money::{Money, MoneyError, round_half_even},
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Kind, Unit};

const MAX_CURRENCIES: usize = 20;

/// What one way costs for one unit: the sum of its parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "CostIn")]
pub(crate) struct Cost {
    /// Of the unit's value.
    #[schema(value_type = u32, example = 300)]
    share_bps: Bps,
    /// For each unit, at most once per currency; a unit valued in another currency bears none.
    fixed: Vec<Money>,
    /// For each kilogram, likewise.
    per_kilogram: Vec<Money>,
}

/// [`Cost`] as it stands in JSON; what is left out costs nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CostIn {
    #[serde(default = "nothing")]
    share_bps: Bps,
    #[serde(default)]
    fixed: Vec<Money>,
    #[serde(default)]
    per_kilogram: Vec<Money>,
}

fn nothing() -> Bps {
    Bps::MIN
}

impl TryFrom<CostIn> for Cost {
    type Error = Invalid;

    fn try_from(CostIn { share_bps, fixed, per_kilogram }: CostIn) -> Result<Self, Invalid> {
        for amounts in [&fixed, &per_kilogram] {
            let currencies: BTreeSet<_> = amounts.iter().map(|amount| amount.currency()).collect();
            if currencies.len() != amounts.len() || amounts.len() > MAX_CURRENCIES {
                return Err(Invalid::new("cost", "must name each currency once"));
            }
            if amounts.iter().any(|amount| amount.is_negative()) {
                return Err(Invalid::new("cost", "must not be negative"));
            }
        }
        Ok(Self { share_bps, fixed, per_kilogram })
    }
}

impl Cost {
    fn share(percent: u32) -> Self {
        let share_bps = Bps::new(percent * 100).unwrap_or(Bps::MAX);
        Self { share_bps, fixed: Vec::new(), per_kilogram: Vec::new() }
    }

    fn of(&self, unit: &Unit) -> Result<Money, MoneyError> {
        let currency = unit.value.currency();
        let here = |amounts: &[Money]| {
            let amount = amounts.iter().copied().find(|amount| amount.currency() == currency);
            amount.unwrap_or_else(|| Money::zero(currency))
        };
        let kilograms = Decimal::new(unit.weight.get().into(), 3);
        let by_weight =
            here(&self.per_kilogram).amount().checked_mul(kilograms).ok_or(MoneyError::TooLarge)?;
        let by_weight = Money::new(round_half_even(by_weight, currency), currency)?;
        let share = unit.value.percent_bps(self.share_bps)?;
        Money::total(currency, [share, here(&self.fixed), by_weight])
    }
}

/// What every way costs a company, and which it does not have. What is left out stays as every company starts with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Costs {
    pub(crate) resell_as_new: Cost,
    pub(crate) resell_open_box: Cost,
    pub(crate) refurbish: Cost,
    /// Comes on top of refurbishing for a unit that does not work.
    pub(crate) repair: Cost,
    pub(crate) parts: Cost,
    pub(crate) donate: Cost,
    pub(crate) recycle: Cost,
    pub(crate) destroy: Cost,
    /// What the company has no way for, like refurbishing without a workshop. Destroying always remains.
    pub(crate) not_offered: BTreeSet<Kind>,
}

impl Default for Costs {
    /// Shares of the value only, because an amount of one currency means nothing in another. They are set so that the
    /// choice is the one that the recovery ranges describe: like new is sold as new, good and fair as opened, poor is
    /// refurbished, what does not work serves for parts, and the rest is recycled.
    fn default() -> Self {
        Self {
            // A look, and back to the shelf.
            resell_as_new: Cost::share(3),
            // Cleaning, repacking, pictures and a description of its own.
            resell_open_box: Cost::share(8),
            // More than the 25.5 % that it is worth for a fair unit, less than the 45.5 % for a poor one: what it brings
            // above selling it as it is, with what that costs.
            refurbish: Cost::share(30),
            // Finding the fault, and the part: what does not work is seldom worth it, as its low range says.
            repair: Cost::share(45),
            // Taking it apart, and keeping the parts in stock.
            parts: Cost::share(4),
            // Handing it over.
            donate: Cost::share(2),
            // Bringing it to the recycler.
            recycle: Cost::share(2),
            // Somebody has to witness it: dearer than recycling.
            destroy: Cost::share(3),
            not_offered: BTreeSet::new(),
        }
    }
}

impl Costs {
    pub(crate) fn of(&self, kind: Kind, unit: &Unit) -> Result<Money, MoneyError> {
        match kind {
            Kind::ResellAsNew => self.resell_as_new.of(unit),
            Kind::ResellOpenBox => self.resell_open_box.of(unit),
            Kind::Refurbish if unit.working => self.refurbish.of(unit),
            Kind::Refurbish => self.refurbish.of(unit)?.checked_add(self.repair.of(unit)?),
            Kind::Parts => self.parts.of(unit),
            Kind::Donate => self.donate.of(unit),
            Kind::Recycle => self.recycle.of(unit),
            Kind::Destroy => self.destroy.of(unit),
        }
    }

    pub(super) fn refuses(&self, kind: Kind) -> bool {
        kind != Kind::Destroy && self.not_offered.contains(&kind)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_left_out_stays_as_every_company_starts_with() {
        let costs: Costs = serde_json::from_value(json!({"donate": {}})).unwrap();
        assert_eq!(costs, Costs { donate: Cost::share(0), ..Costs::default() });
        let json = serde_json::to_value(Costs::default()).unwrap();
        assert_eq!(json["recycle"], json!({"share_bps": 200, "fixed": [], "per_kilogram": []}));
        assert_eq!(serde_json::from_value::<Costs>(json).unwrap(), Costs::default());
    }

    #[test]
    fn impossible_costs_are_refused() {
        let money = |amount: &str, currency: &str| json!({"amount": amount, "currency": currency});
        for (costs, why) in [
            (json!({"parts": {"fixed": [money("-1", "COP")]}}), "must not be negative"),
            (
                json!({"parts": {"per_kilogram": [money("1", "COP"), money("2", "COP")]}}),
                "each currency once",
            ),
            (json!({"parts": {"share_bps": 100_001}}), "must lie between"),
            (json!({"parts": {"percent": 1}}), "unknown field"),
            (json!({"burn": {}}), "unknown field"),
            (json!({"not_offered": ["burn"]}), "unknown variant"),
        ] {
            let error = serde_json::from_value::<Costs>(costs.clone()).unwrap_err().to_string();
            assert!(error.contains(why), "{costs}: {error}");
        }
    }
}
