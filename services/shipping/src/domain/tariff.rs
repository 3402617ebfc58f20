//! What our own carrier charges: rate cards by zone, service and weight break, and when it promises to deliver.
//!
//! Must never convert a currency: a card bills in its own one, and value in another one is not insured.

use std::collections::BTreeMap;

use jiff::{
    Timestamp, Zoned,
    civil::{Date, Weekday},
    tz::{self, TimeZone},
};
use quenty_contracts::party::Parcel;
use quenty_kernel::{
    currency::Currency,
    measure::Bps,
    money::{Money, MoneyError, round_half_even},
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Our own carrier.
pub const QTY: &str = "QTY";

/// Weights are charged in started half kilograms.
const STEP_GRAMS: u64 = 500;

/// How fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceLevel {
    Standard,
    Express,
}

impl ServiceLevel {
    pub const ALL: [Self; 2] = [Self::Standard, Self::Express];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Express => "express",
        }
    }

    /// The service that an order's kind asks for.
    #[must_use]
    pub fn of_order(kind: &str) -> Self {
        if kind == "express" { Self::Express } else { Self::Standard }
    }

    /// Its name on labels, in Spanish as the captions are.
    #[must_use]
    pub const fn label_name(self) -> &'static str {
        match self {
            Self::Standard => "Estándar",
            Self::Express => "Express",
        }
    }
}

impl std::str::FromStr for ServiceLevel {
    type Err = quenty_kernel::Invalid;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|level| level.as_str() == text)
            .ok_or_else(|| quenty_kernel::Invalid::new("service", "must be standard or express"))
    }
}

/// The price of weights above `above_grams`: the base, and `step` for every started 500 g above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeightBreak {
    pub above_grams: u64,
    pub base: Decimal,
    pub step: Decimal,
}

/// The prices of one carrier from one origin to one zone.
#[derive(Debug, Clone, PartialEq)]
pub struct RateCard {
    pub carrier: String,
    pub currency: Currency,
    /// Cubic centimetres that count as a kilogram.
    pub volumetric_divisor: u64,
    pub fuel: Bps,
    pub insurance: Bps,
    pub max_parcel_grams: u32,
    pub max_declared_value: Money,
    /// Ascending by weight.
    pub breaks: BTreeMap<ServiceLevel, Vec<WeightBreak>>,
    pub business_days: BTreeMap<ServiceLevel, u16>,
}

/// The parts of a price; the total is their sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CostParts {
    /// What the shipment's weight break costs by itself.
    pub base: Money,
    /// The started half kilograms above the break.
    pub weight: Money,
    /// The fuel surcharge on base and weight.
    pub fuel: Money,
    /// On the declared value, if that is in the billing currency.
    pub insurance: Money,
    pub total: Money,
}

/// One way to send a consignment: what it costs, and when it will be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Offer {
    #[schema(example = "QTY")]
    pub carrier: String,
    pub service: ServiceLevel,
    pub cost: CostParts,
    /// The greater of actual and volumetric weight of each parcel, in started half kilograms.
    pub chargeable_weight_grams: u64,
    /// `false` when the declared value is in another currency than the carrier bills.
    pub insured: bool,
    /// Business days.
    pub transit_days: u16,
    /// The end of the promised day.
    pub promised_at: Timestamp,
    /// That day where it is promised, as labels print it; absent in offers of before, whose days were those of UTC.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "date")]
    pub promised_date: Option<Date>,
}

impl Offer {
    /// The same price, and the promise of another day.
    #[must_use]
    pub fn promised_anew(&self, now: &Zoned) -> Self {
        let promised_date = business_day(now.date(), self.transit_days);
        let promised_at = end_of_day(promised_date, now.time_zone());
        Self { promised_at, promised_date: Some(promised_date), ..self.clone() }
    }
}

impl RateCard {
    /// The weight that is charged: each parcel's greater of actual and volumetric, in started half kilograms.
    #[must_use]
    pub fn chargeable_grams(&self, parcels: &[Parcel]) -> u64 {
        let charged = |parcel: &Parcel| {
            let volumetric =
                parcel.dimensions.map_or(0, |d| (d.volume_cm3() * 1_000).div_ceil(self.volumetric_divisor));
            u64::from(parcel.weight_grams.get()).max(volumetric).next_multiple_of(STEP_GRAMS)
        };
        parcels.iter().map(charged).sum()
    }

    /// The price of a service, or nothing when the card does not have it.
    ///
    /// # Errors
    /// When an amount leaves the range of money.
    pub fn offer(
        &self,
        service: ServiceLevel,
        parcels: &[Parcel],
        declared: Money,
        now: &Zoned,
    ) -> Result<Option<Offer>, MoneyError> {
        let (Some(breaks), Some(&days)) = (self.breaks.get(&service), self.business_days.get(&service))
        else {
            return Ok(None);
        };
        let grams = self.chargeable_grams(parcels);
        let Some(applies) = breaks.iter().rev().find(|candidate| candidate.above_grams < grams) else {
            return Ok(None);
        };
        let insured = declared.currency() == self.currency;
        let promised_date = business_day(now.date(), days);
        Ok(Some(Offer {
            carrier: self.carrier.clone(),
            service,
            cost: self.cost(*applies, grams, insured.then_some(declared))?,
            chargeable_weight_grams: grams,
            insured,
            transit_days: days,
            promised_at: end_of_day(promised_date, now.time_zone()),
            promised_date: Some(promised_date),
        }))
    }

    fn cost(
        &self,
        applies: WeightBreak,
        grams: u64,
        insured: Option<Money>,
    ) -> Result<CostParts, MoneyError> {
        let exact = |amount: Decimal| Money::new(round_half_even(amount, self.currency), self.currency);
        let steps = (grams - applies.above_grams).div_ceil(STEP_GRAMS);
        let base = exact(applies.base)?;
        let weight = exact(applies.step.checked_mul(Decimal::from(steps)).ok_or(MoneyError::TooLarge)?)?;
        let fuel = base.checked_add(weight)?.percent_bps(self.fuel)?;
        let insurance = insured
            .map_or(Ok(Money::zero(self.currency)), |declared| declared.percent_bps(self.insurance))?;
        let total = Money::total(self.currency, [base, weight, fuel, insurance])?;
        Ok(CostParts { base, weight, fuel, insurance, total })
    }
}

/// A moment by the clocks of a company, whose day a promise ends with: an address does not say which clocks are its
/// own. Where the company's are not known either, it is the day of UTC, and ends where it ends last on Earth.
#[must_use]
pub fn local(at: Timestamp, time_zone: Option<&str>) -> Zoned {
    if let Some(known) = time_zone.and_then(|name| TimeZone::get(name).ok()) {
        return at.to_zoned(known);
    }
    let last = tz::offset(-12);
    let same_day = last.to_timestamp(tz::Offset::UTC.to_datetime(at)).unwrap_or(at);
    same_day.to_zoned(TimeZone::fixed(last))
}

/// The present, or a later day by the same clocks.
#[must_use]
pub fn not_before(day: Option<Date>, now: Zoned) -> Zoned {
    let later = day.filter(|day| *day > now.date());
    later.and_then(|day| day.to_zoned(now.time_zone().clone()).ok()).unwrap_or(now)
}

/// The `days`-th business day after today: Monday to Friday, holidays not known.
fn business_day(today: Date, days: u16) -> Date {
    let mut date = today;
    let mut left = days;
    while left > 0 || is_weekend(date) {
        date = date.saturating_add(jiff::Span::new().days(1));
        if left > 0 && !is_weekend(date) {
            left -= 1;
        }
        if date == Date::MAX {
            break;
        }
    }
    date
}

fn end_of_day(date: Date, zone: &TimeZone) -> Timestamp {
    let end = date.at(23, 59, 59, 0).to_zoned(zone.clone());
    end.map_or(Timestamp::MAX, |end| end.timestamp())
}

fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

#[cfg(test)]
pub(super) mod tests;
