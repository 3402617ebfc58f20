//! What a pickup costs: every figure comes from the area's own table (design/services/pickup.md, "Price").

use quenty_contracts::{party::Parcel, pickup::CostItem};
use quenty_kernel::{
    Invalid,
    currency::Currency,
    measure::{Bps, Grams},
    money::{Money, MoneyError},
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::booking::{PickupKind, Unbookable};

/// The fees of an area, all in its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct FeeTable {
    pub(crate) on_demand: Money,
    pub(crate) scheduled: Money,
    pub(crate) express: Money,
    /// For each started kilogram above the included weight.
    pub(crate) extra_kilogram: Money,
    /// Carried at no extra fee.
    pub(crate) included_weight_grams: Grams,
    /// Added to every pickup of the area.
    pub(crate) zone: Money,
    pub(crate) packaging: Money,
    /// Of the declared value.
    pub(crate) insurance_bps: Bps,
}

/// A fee table as it is sent: in Mexican pesos the fees left out have the platform's defaults, in another
/// currency every fee is needed, because numbers of one currency mean nothing in another.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeeTableIn {
    on_demand: Option<Money>,
    scheduled: Option<Money>,
    express: Option<Money>,
    /// For each started kilogram above the included weight.
    extra_kilogram: Option<Money>,
    /// Carried at no extra fee; 5 kg unless told.
    included_weight_grams: Option<Grams>,
    /// Added to every pickup of the area; nothing unless told.
    zone: Option<Money>,
    packaging: Option<Money>,
    /// Of the declared value; 1 % unless told.
    insurance_bps: Option<Bps>,
}

impl FeeTable {
    /// # Errors
    /// When a fee is missing, negative or in another currency than the area's.
    pub(crate) fn new(currency: Currency, fees: &FeeTableIn) -> Result<Self, Invalid> {
        let fee = |given: Option<Money>, default_mxn: i64| match given {
            Some(fee) if fee.currency() != currency => {
                Err(Invalid::new("fees", format!("must be in {currency}, the currency of the area")))
            }
            Some(fee) => Ok(fee.non_negative()?),
            None if default_mxn == 0 => Ok(Money::zero(currency)),
            None if currency == Currency::MXN => Ok(Money::new(Decimal::from(default_mxn), currency)?),
            None => {
                Err(Invalid::new("fees", format!("must all be given in {currency}: only MXN has defaults")))
            }
        };
        Ok(Self {
            on_demand: fee(fees.on_demand, 80)?,
            scheduled: fee(fees.scheduled, 50)?,
            express: fee(fees.express, 120)?,
            extra_kilogram: fee(fees.extra_kilogram, 5)?,
            included_weight_grams: fees.included_weight_grams.map_or_else(|| Grams::new(5_000), Ok)?,
            zone: fee(fees.zone, 0)?,
            packaging: fee(fees.packaging, 25)?,
            insurance_bps: fees.insurance_bps.map_or_else(|| Bps::new(100), Ok)?,
        })
    }

    pub(crate) fn base(&self, kind: PickupKind) -> Money {
        match kind {
            PickupKind::OnDemand => self.on_demand,
            PickupKind::Scheduled => self.scheduled,
            PickupKind::Express => self.express,
        }
    }

    /// What a slot costs before weight, packaging and insurance.
    pub(crate) fn from(&self, kind: PickupKind) -> Result<Money, MoneyError> {
        self.base(kind).checked_add(self.zone)
    }

    pub(crate) fn price(&self, what: &Priced<'_>) -> Result<Cost, Unbookable> {
        let currency = self.zone.currency();
        if what.insured_value.is_some_and(|value| value.currency() != currency) {
            return Err(Unbookable::InsuranceUnavailable { currency });
        }
        self.items(what).map_err(|_| Unbookable::PriceTooLarge)
    }

    fn items(&self, what: &Priced<'_>) -> Result<Cost, MoneyError> {
        let grams: u64 = what.parcels.iter().map(|parcel| u64::from(parcel.weight_grams.get())).sum();
        let above = grams.saturating_sub(u64::from(self.included_weight_grams.get())).div_ceil(1_000);
        let started_kilograms = u32::try_from(above).map_err(|_| MoneyError::TooLarge)?;
        let none = Money::zero(self.zone.currency());
        let lines = [
            ("base", self.base(what.kind)),
            ("weight", self.extra_kilogram.times(started_kilograms)?),
            ("zone", self.zone),
            ("packaging", if what.packaging { self.packaging } else { none }),
            (
                "insurance",
                what.insured_value.map_or(Ok(none), |value| value.percent_bps(self.insurance_bps))?,
            ),
        ];
        let items: Vec<CostItem> = lines
            .into_iter()
            .filter(|(code, amount)| *code == "base" || !amount.is_zero())
            .map(|(code, amount)| CostItem { code: code.to_owned(), amount })
            .collect();
        let total = Money::total(none.currency(), items.iter().map(|item| item.amount))?;
        Ok(Cost { total, items })
    }
}

/// What a price depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Priced<'a> {
    pub(crate) kind: PickupKind,
    pub(crate) parcels: &'a [Parcel],
    pub(crate) insured_value: Option<Money>,
    pub(crate) packaging: bool,
}

/// A price with its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Cost {
    pub(crate) total: Money,
    pub(crate) items: Vec<CostItem>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str, currency: Currency) -> Money {
        Money::parse(text, currency).unwrap()
    }

    fn parcel(grams: u32) -> Parcel {
        Parcel { weight_grams: Grams::new(grams).unwrap(), dimensions: None, fragile: false }
    }

    fn price(kind: PickupKind, grams: &[u32], insured: Option<&str>, packaging: bool) -> Vec<String> {
        let table = FeeTable::new(
            Currency::MXN,
            &FeeTableIn { zone: Some(money("20", Currency::MXN)), ..FeeTableIn::default() },
        )
        .unwrap();
        let parcels: Vec<Parcel> = grams.iter().copied().map(parcel).collect();
        let insured_value = insured.map(|text| money(text, Currency::MXN));
        let cost = table.price(&Priced { kind, parcels: &parcels, insured_value, packaging }).unwrap();
        assert_eq!(cost.total, Money::total(Currency::MXN, cost.items.iter().map(|i| i.amount)).unwrap());
        cost.items.into_iter().map(|item| format!("{} {}", item.code, item.amount.amount())).collect()
    }

    #[test]
    fn the_price_has_a_line_for_everything_that_costs() {
        assert_eq!(price(PickupKind::Scheduled, &[5_000], None, false), ["base 50.00", "zone 20.00"]);
        assert_eq!(
            price(PickupKind::Express, &[5_000, 1], Some("1234.50"), true),
            ["base 120.00", "weight 5.00", "zone 20.00", "packaging 25.00", "insurance 12.34"]
        );
        assert_eq!(
            price(PickupKind::OnDemand, &[4_000, 3_001], None, false),
            ["base 80.00", "weight 15.00", "zone 20.00"]
        );
    }

    #[test]
    fn only_mexican_pesos_have_defaults() {
        assert!(FeeTable::new(Currency::COP, &FeeTableIn::default()).is_err());
        let foreign = FeeTableIn { scheduled: Some(money("5", Currency::USD)), ..FeeTableIn::default() };
        assert!(FeeTable::new(Currency::MXN, &foreign).is_err());
        let negative = FeeTableIn { scheduled: Some(money("-5", Currency::MXN)), ..FeeTableIn::default() };
        assert!(FeeTable::new(Currency::MXN, &negative).is_err());
    }

    #[test]
    fn what_is_declared_in_another_currency_cannot_be_insured() {
        let table = FeeTable::new(Currency::MXN, &FeeTableIn::default()).unwrap();
        let what = Priced {
            kind: PickupKind::Scheduled,
            parcels: &[],
            insured_value: Some(money("10", Currency::USD)),
            packaging: false,
        };
        assert_eq!(table.price(&what), Err(Unbookable::InsuranceUnavailable { currency: Currency::MXN }));
    }
}
