//! Where a returned unit is worth most: what each way to use it is expected to bring and to cost, which of them are
//! allowed, and which is best (design/services/returns.md, "Rules").
//!
//! Must never choose a way that a rule forbids, however much it would bring.

use std::collections::BTreeMap;

use quenty_kernel::{
    measure::Grams,
    money::{Money, MoneyError, round_half_even},
};
use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};
use serde::Serialize;
use utoipa::ToSchema;

use super::class::GoodsClass;

mod costs;

pub(crate) use costs::Costs;

quenty_kernel::words! {
    /// How a unit looks, whether it works or not.
    pub(crate) enum Condition ("condition") {
        LikeNew = "like_new",
        Good = "good",
        Fair = "fair",
        Poor = "poor",
        BeyondRepair = "beyond_repair",
    }
}

quenty_kernel::words! {
    /// What becomes of a unit, in the order of the waste hierarchy (Directive 2008/98/EC, article 4): used again,
    /// prepared for it, taken apart for it, given away, recycled, disposed of. Of two that bring the same, the first is
    /// chosen.
    pub enum Kind ("disposition") {
        /// Back to the shelf of the same product.
        ResellAsNew = "resell_as_new",
        ResellOpenBox = "resell_open_box",
        /// Repaired and cleaned, then sold.
        Refurbish = "refurbish",
        Parts = "parts",
        Donate = "donate",
        Recycle = "recycle",
        Destroy = "destroy",
    }
}

quenty_kernel::words! {
    /// Why a unit may not be used in some way.
    pub enum Refusal ("refusal") {
        /// Nobody gets what was called back, whole, repaired or in parts: the fault may be in any of them.
        Recalled = "recalled",
        /// Nobody gets hygiene goods that somebody had.
        Hygiene = "hygiene",
        BeyondRepair = "beyond_repair",
        NotWorking = "not_working",
        /// What lacks something is not sold as new.
        Incomplete = "incomplete",
        /// Only what looks like new is sold as new.
        NotLikeNew = "not_like_new",
        /// It is complete, works and looks good already.
        NothingToRefurbish = "nothing_to_refurbish",
        /// The company's policy has no such way.
        NotOffered = "not_offered",
    }
}

/// One inspected unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unit {
    /// What the buyer paid for it.
    pub(crate) value: Money,
    pub(crate) weight: Grams,
    pub(crate) condition: Condition,
    pub(crate) working: bool,
    pub(crate) complete: bool,
    pub(crate) class: GoodsClass,
    /// It came back by a recall.
    pub(crate) recalled: bool,
}

/// What units bring of their value: between which basis points, by condition and whether they work (design: like new
/// 85–95 %, good 70–85, fair 50–70, poor 30–50, not working 5–15, beyond repair nothing).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Recovery {
    pub(crate) low_bps: u32,
    pub(crate) high_bps: u32,
}

impl Recovery {
    pub(crate) const fn of(condition: Condition, working: bool) -> Self {
        let (low_bps, high_bps) = match (condition, working) {
            (Condition::BeyondRepair, _) => (0, 0),
            (_, false) => (500, 1_500),
            (Condition::LikeNew, true) => (8_500, 9_500),
            (Condition::Good, true) => (7_000, 8_500),
            (Condition::Fair, true) => (5_000, 7_000),
            (Condition::Poor, true) => (3_000, 5_000),
        };
        Self { low_bps, high_bps }
    }

    const fn middle_bps(self) -> u32 {
        u32::midpoint(self.low_bps, self.high_bps)
    }
}

impl Unit {
    /// What it is expected to bring of its value in basis points, were it used in that way.
    const fn expected_bps(&self, kind: Kind) -> u32 {
        let as_it_is = Recovery::of(self.condition, self.working);
        let in_parts = Recovery::of(self.condition, false);
        match kind {
            Kind::ResellAsNew => as_it_is.high_bps,
            Kind::ResellOpenBox if self.complete => as_it_is.middle_bps(),
            Kind::ResellOpenBox => as_it_is.low_bps,
            Kind::Refurbish if matches!(self.condition, Condition::BeyondRepair) => 0,
            // It leaves the workshop complete, working and good, but never like new.
            Kind::Refurbish => Recovery::of(Condition::Good, true).middle_bps(),
            // What does not run is bought for its parts, so these are worth what that brings.
            Kind::Parts if self.complete => in_parts.middle_bps(),
            Kind::Parts => in_parts.low_bps,
            // Recyclers pay for the metals of electronics; of other goods they take the weight off our hands.
            Kind::Recycle if matches!(self.class, GoodsClass::Electronics) => in_parts.low_bps,
            Kind::Donate | Kind::Recycle | Kind::Destroy => 0,
        }
    }

    /// The rules, without what a company has ways for.
    fn refusal(&self, kind: Kind) -> Option<Refusal> {
        use Kind::{Donate, Parts, Refurbish, ResellAsNew, ResellOpenBox};
        let is_used_as_it_is = matches!(kind, ResellAsNew | ResellOpenBox | Donate);
        let is_used_again = is_used_as_it_is || kind == Refurbish;
        let looks_good = matches!(self.condition, Condition::LikeNew | Condition::Good);
        let goes_to_somebody = is_used_again || kind == Parts;
        let rules = [
            (Refusal::Recalled, self.recalled && goes_to_somebody),
            (Refusal::Hygiene, self.class == GoodsClass::Hygiene && goes_to_somebody),
            (Refusal::BeyondRepair, self.condition == Condition::BeyondRepair && is_used_again),
            (Refusal::NotWorking, !self.working && is_used_as_it_is),
            (Refusal::Incomplete, !self.complete && kind == ResellAsNew),
            (Refusal::NotLikeNew, self.condition != Condition::LikeNew && kind == ResellAsNew),
            (Refusal::NothingToRefurbish, looks_good && self.working && self.complete && kind == Refurbish),
        ];
        rules.into_iter().find_map(|(refusal, applies)| applies.then_some(refusal))
    }
}

/// One way to use a unit, beside the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct DispositionOption {
    pub(crate) kind: Kind,
    /// What it is expected to bring.
    pub(crate) expected_value: Money,
    /// The same, before what such units really brought corrected it.
    pub(crate) uncorrected_value: Money,
    pub(crate) cost: Money,
    /// What is left of the expected value.
    pub(crate) net: Money,
    pub(crate) allowed: bool,
    /// Why it is not allowed.
    pub(crate) refusal: Option<Refusal>,
    /// How much less is left than of the best that is allowed; below zero where a rule forbids what would bring more.
    pub(crate) below_best: Money,
}

/// All ways to use a unit, in the order of [`Kind::ALL`].
pub(crate) type Options = [DispositionOption; Kind::ALL.len()];

/// Weighs every way to use a unit. The corrections are those of its category.
pub(crate) fn options(unit: &Unit, costs: &Costs, corrections: &Corrections) -> Result<Options, MoneyError> {
    let option = |kind: Kind| -> Result<DispositionOption, MoneyError> {
        let expected_value = expected(unit, kind, corrections.of(kind))?;
        let cost = costs.of(kind, unit)?;
        let not_offered = || costs.refuses(kind).then_some(Refusal::NotOffered);
        let refusal = unit.refusal(kind).or_else(not_offered);
        Ok(DispositionOption {
            kind,
            expected_value,
            uncorrected_value: expected(unit, kind, Correction::NONE)?,
            cost,
            net: expected_value.checked_sub(cost)?,
            allowed: refusal.is_none(),
            refusal,
            below_best: Money::zero(unit.value.currency()),
        })
    };
    let mut options = [
        option(Kind::ResellAsNew)?,
        option(Kind::ResellOpenBox)?,
        option(Kind::Refurbish)?,
        option(Kind::Parts)?,
        option(Kind::Donate)?,
        option(Kind::Recycle)?,
        option(Kind::Destroy)?,
    ];
    let most = best(&options).net;
    for option in &mut options {
        option.below_best = most.checked_sub(option.net)?;
    }
    Ok(options)
}

fn expected(unit: &Unit, kind: Kind, correction: Correction) -> Result<Money, MoneyError> {
    let share = Decimal::new(unit.expected_bps(kind).into(), 4) * Decimal::new(correction.bps.into(), 4);
    let exact = unit.value.amount().checked_mul(share).ok_or(MoneyError::TooLarge)?;
    Money::new(round_half_even(exact, unit.value.currency()), unit.value.currency())
}

/// The one that leaves most of those that are allowed; of equal ones the first in the waste hierarchy. Destroying is
/// always allowed, so there always is one.
pub(crate) fn best(options: &Options) -> &DispositionOption {
    let [.., destroy] = options;
    options
        .iter()
        .rev()
        .filter(|option| option.allowed)
        .fold(destroy, |best, option| if option.net.amount() >= best.net.amount() { option } else { best })
}

/// What a disposed unit was expected to bring and what it brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) estimated: Money,
    pub(crate) realised: Money,
}

/// How far estimates were off what was realised, in basis points of what was estimated in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct MeanError {
    pub(crate) units: usize,
    /// Too much and too little set off against each other; below zero when less was realised than estimated.
    pub(crate) bias_bps: i64,
    /// Too much and too little added up.
    pub(crate) absolute_bps: i64,
}

impl MeanError {
    /// Of sums over the units; nothing while nothing was estimated.
    pub(crate) fn of(units: usize, estimated: Decimal, bias: Decimal, absolute: Decimal) -> Option<Self> {
        let (bias_bps, absolute_bps) = (ratio_bps(bias, estimated)?, ratio_bps(absolute, estimated)?);
        Some(Self { units, bias_bps, absolute_bps })
    }
}

/// Two currencies have no sum: only outcomes in that of the first one count.
fn comparable(outcomes: &[Outcome]) -> Vec<(Decimal, Decimal)> {
    let currency = outcomes.first().map(|outcome| outcome.estimated.currency());
    let is_comparable = |of: &&Outcome| {
        [of.estimated.currency(), of.realised.currency()].iter().all(|code| Some(*code) == currency)
    };
    let amounts = |of: &Outcome| (of.estimated.amount(), of.realised.amount());
    outcomes.iter().filter(is_comparable).map(amounts).collect()
}

fn ratio_bps(part: Decimal, of: Decimal) -> Option<i64> {
    let ratio = part.checked_mul(Decimal::from(10_000))?.checked_div(of)?;
    ratio.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven).to_i64()
}

/// By what estimates of one kind and category are multiplied, because such units brought more or less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Correction {
    pub(crate) bps: u32,
}

impl Correction {
    pub(crate) const NONE: Self = Self { bps: 10_000 };
    /// Fewer units are an accident, not a price.
    const LEAST_UNITS: usize = 5;
    /// Beyond a fifth and the double, something else is wrong than the estimate.
    const RANGE: (i64, i64) = (2_000, 20_000);
}

/// What was realised over what was estimated, in sums, so that dear units count for more. The estimates must be the
/// uncorrected ones: measured against corrected ones, a correction would undo itself.
pub(crate) fn correction(outcomes: &[Outcome]) -> Correction {
    let comparable = comparable(outcomes);
    if comparable.len() < Correction::LEAST_UNITS {
        return Correction::NONE;
    }
    let estimated = comparable.iter().map(|(estimated, _)| *estimated).sum();
    let realised = comparable.iter().map(|(_, realised)| *realised).sum();
    let (least, most) = Correction::RANGE;
    let bps = ratio_bps(realised, estimated).and_then(|bps| u32::try_from(bps.clamp(least, most)).ok());
    bps.map_or(Correction::NONE, |bps| Correction { bps })
}

/// The corrections of one category; kinds without one are not corrected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Corrections(BTreeMap<Kind, Correction>);

impl Corrections {
    fn of(&self, kind: Kind) -> Correction {
        self.0.get(&kind).copied().unwrap_or(Correction::NONE)
    }
}

impl FromIterator<(Kind, Correction)> for Corrections {
    fn from_iter<T: IntoIterator<Item = (Kind, Correction)>>(corrections: T) -> Self {
        Self(corrections.into_iter().collect())
    }
}

#[cfg(test)]
mod tests;
