//! What the buyer gets back, to the minor unit (design/services/returns.md, "Rules").
//!
//! Must never make or lose a minor unit: what all partial returns of an order give back where we or the merchant are
//! at fault is what the order cost.

use std::cmp::Reverse;

use quenty_contracts::{
    order::{OrderLine, OrderTotals},
    returns::RefundAmounts,
};
use quenty_kernel::{
    currency::Currency,
    measure::Bps,
    money::{Money, MoneyError, round_half_even},
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the buyer paid for a line, with its share of what was charged or discounted for the order as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct LineValue {
    pub(crate) goods: Money,
    /// Its share of the order's shipping charge.
    pub(crate) shipping: Money,
}

/// On what terms units are refunded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    /// We or the merchant are to blame: everything goes back, and no fee is kept.
    pub(crate) at_fault: bool,
    /// The restocking fee, of the goods' value.
    pub(crate) fee: Bps,
}

impl Terms {
    pub(crate) const AT_FAULT: Self = Self { at_fault: true, fee: Bps::MIN };
}

/// Units of one line that are refunded together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Units {
    /// The value of the whole line.
    pub(crate) value: LineValue,
    /// How many units the line has.
    pub(crate) quantity: u32,
    /// How many of them were settled before these.
    pub(crate) before: u32,
    pub(crate) count: u32,
    pub(crate) terms: Terms,
}

/// Divides what an order cost among its lines: the goods sum to `total − shipping`, the shipping to the shipping
/// charge. Both go by what the lines cost, or by their pieces when all of them were free.
pub(crate) fn line_values(totals: &OrderTotals, lines: &[OrderLine]) -> Result<Vec<LineValue>, MoneyError> {
    let weights = weights(lines, totals.total.currency())?;
    let goods = apportion(totals.total.checked_sub(totals.shipping)?, &weights)?;
    let shipping = apportion(totals.shipping, &weights)?;
    Ok(goods.into_iter().zip(shipping).map(|(goods, shipping)| LineValue { goods, shipping }).collect())
}

fn weights(lines: &[OrderLine], currency: Currency) -> Result<Vec<i128>, MoneyError> {
    let cost = |line: &OrderLine| Ok(minor_units(Money::zero(currency).checked_add(line.total)?).max(0));
    let costs = lines.iter().map(cost).collect::<Result<Vec<_>, _>>()?;
    if costs.iter().any(|cost| *cost > 0) {
        return Ok(costs);
    }
    Ok(lines.iter().map(|line| i128::from(line.quantity.max(1))).collect())
}

/// Divides an amount by the method of the largest remainder: every part is its exact share rounded down, and the minor
/// units that are left over go, one each, to the greatest remainders; of equal ones, to the first.
fn apportion(amount: Money, weights: &[i128]) -> Result<Vec<Money>, MoneyError> {
    let (whole, of): (i128, i128) = (minor_units(amount), weights.iter().sum());
    let mut parts = Vec::with_capacity(weights.len());
    for (index, weight) in weights.iter().enumerate() {
        let exact = whole.checked_mul(*weight).ok_or(MoneyError::TooLarge)?;
        parts.push((index, exact.div_euclid(of), exact.rem_euclid(of)));
    }
    let left_over = whole - parts.iter().map(|(_, part, _)| part).sum::<i128>();
    parts.sort_by_key(|(_, _, remainder)| Reverse(*remainder));
    for (rank, (_, part, _)) in (0_i128..).zip(&mut parts) {
        *part += i128::from(rank < left_over);
    }
    parts.sort_by_key(|(index, _, _)| *index);
    parts.into_iter().map(|(_, part, _)| of_minor_units(part, amount.currency())).collect()
}

/// [`Money`] keeps exactly the currency's decimals, so its mantissa counts minor units.
fn minor_units(money: Money) -> i128 {
    money.amount().mantissa()
}

fn of_minor_units(minor: i128, currency: Currency) -> Result<Money, MoneyError> {
    let amount = Decimal::try_from_i128_with_scale(minor, currency.minor_units());
    Money::new(amount.map_err(|_| MoneyError::TooLarge)?, currency)
}

/// What `count` units of a line are worth when `before` others were settled already: the difference of two rounded
/// sums, so that the roundings of partial returns cancel out. Beyond the line's quantity nothing is worth anything.
pub(crate) fn share(value: Money, quantity: u32, before: u32, count: u32) -> Result<Money, MoneyError> {
    let first = |units: u32| -> Result<Money, MoneyError> {
        if quantity == 0 {
            return Ok(Money::zero(value.currency()));
        }
        let product = value.amount().checked_mul(units.min(quantity).into()).ok_or(MoneyError::TooLarge)?;
        Money::new(round_half_even(product / Decimal::from(quantity), value.currency()), value.currency())
    };
    first(before.saturating_add(count))?.checked_sub(first(before)?)
}

/// What comes of units that are refunded together.
///
/// Units at fault bring their share of the shipping charge; the others pay the fee, rounded for each group. `way_back`
/// is what the buyer owes for bringing them back, charged only if no unit is at fault.
///
/// No more is kept than is due: the fee takes its part first, of its own group alone, the way back what is left of it, so that
/// `refund = goods + shipping − fee − way_back` is never below zero and always holds, unless less than that is
/// `left_to_refund` of what was paid: then the refund is that, and nothing else changes.
pub(crate) fn amounts(
    units: &[Units],
    way_back: Money,
    left_to_refund: Money,
) -> Result<RefundAmounts, MoneyError> {
    let none = Money::zero(way_back.currency());
    let (mut goods, mut shipping, mut fee) = (none, none, none);
    for Units { value, quantity, before, count, terms } in units {
        let part = share(value.goods, *quantity, *before, *count)?;
        goods = goods.checked_add(part)?;
        if terms.at_fault {
            shipping = shipping.checked_add(share(value.shipping, *quantity, *before, *count)?)?;
        } else {
            fee = fee.checked_add(at_most(part.percent_bps(terms.fee)?, part)?)?;
        }
    }
    let at_fault = units.iter().any(|group| group.terms.at_fault && group.count > 0);
    let due = goods.checked_add(shipping)?;
    let left = due.checked_sub(fee)?;
    let way_back = if at_fault { none } else { at_most(way_back, left)? };
    let refund = at_most(left.checked_sub(way_back)?, left_to_refund)?;
    Ok(RefundAmounts { goods, shipping, fee, way_back, refund })
}

/// The amount, but neither above the limit nor below zero.
pub(super) fn at_most(amount: Money, limit: Money) -> Result<Money, MoneyError> {
    let lesser = if amount.checked_sub(limit)?.is_negative() { amount } else { limit };
    Ok(if lesser.is_negative() { Money::zero(lesser.currency()) } else { lesser })
}

#[cfg(test)]
mod tests;
