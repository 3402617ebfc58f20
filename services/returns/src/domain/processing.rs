//! What a return comes to: the money of its units, and what is settled of its order.

use quenty_contracts::returns::{RefundAmounts, ReturnedLine, ReturnedValue};
use quenty_kernel::{
    Invalid,
    currency::Currency,
    measure::Bps,
    money::{Money, MoneyError},
};

use super::{
    delivered::{ClaimError, DeliveredOrder},
    goods_return::{Return, ReturnFact},
    policy::{PolicyTerms, WayBackPayer},
    refund::{self, Terms, Units},
    words::{Claim, Reason, Resolution},
};

#[derive(Debug, thiserror::Error)]
pub enum ProcessingError {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Claim(#[from] ClaimError),
}

/// Units that will not come are free again; those of a rejection that is objected to are set aside again.
pub(crate) fn count_units(
    order: &mut DeliveredOrder,
    of: &Return,
    facts: &[ReturnFact],
) -> Result<(), ClaimError> {
    for fact in facts {
        match fact {
            ReturnFact::Rejected(_) | ReturnFact::Cancelled(_) | ReturnFact::Expired(_) => {
                order.release(&of.outstanding());
            }
            ReturnFact::Disputed(_) if of.received_at.is_none() => order.claim(&of.outstanding())?,
            _ => {}
        }
    }
    Ok(())
}

/// What the buyer gets for what arrived, and for what was lost on its way.
pub(crate) fn amounts(
    of: &Return,
    order: &DeliveredOrder,
    terms: &PolicyTerms,
) -> Result<RefundAmounts, ProcessingError> {
    let resolution: Resolution = of.request.resolution.parse()?;
    let mut units = Vec::new();
    for wanted in &of.request.lines {
        let reason: Reason = wanted.reason.parse()?;
        let line = order.line(wanted.line).ok_or(ClaimError::NoSuchLine { line: wanted.line })?;
        let mut before = line.settled;
        let mut group = |count: u32, terms| {
            units.push(Units { value: line.value, quantity: line.quantity, before, count, terms });
            before += count;
        };
        // Who obeys a recall owes nothing for it, whatever the inspection says of the reason.
        let terms_of = |reason| {
            if of.is_recalled() { Terms::AT_FAULT } else { refund_terms(reason, resolution, terms) }
        };
        group(claimed(of, wanted.line, Claim::Confirmed), terms_of(reason));
        group(claimed(of, wanted.line, Claim::NotConfirmed), terms_of(Reason::ChangedMind));
        // Who has handed it over is not to blame.
        group(lost(of, wanted), Terms::AT_FAULT);
    }
    let way_back = way_back(of, resolution, terms, order.paid.currency());
    Ok(refund::amounts(&units, way_back, order.left_to_refund()?)?)
}

/// What of the goods' worth in [`amounts`] is that of which line; to be asked before they are settled.
pub(crate) fn values(of: &Return, order: &DeliveredOrder) -> Result<Vec<ReturnedValue>, ProcessingError> {
    let mut values = Vec::new();
    for wanted in &of.request.lines {
        let line = order.line(wanted.line).ok_or(ClaimError::NoSuchLine { line: wanted.line })?;
        let accepted = [Claim::Confirmed, Claim::NotConfirmed].map(|claim| claimed(of, wanted.line, claim));
        let quantity = accepted.iter().sum::<u32>() + lost(of, wanted);
        if quantity > 0 {
            let value = refund::share(line.value.goods, line.quantity, line.settled, quantity)?;
            values.push(ReturnedValue { line: wanted.line, quantity, value });
        }
    }
    Ok(values)
}

/// What the way back costs the buyer, if no unit is at fault.
fn way_back(of: &Return, resolution: Resolution, terms: &PolicyTerms, currency: Currency) -> Money {
    let cost = of.booking.cost.filter(|cost| {
        terms.way_back_paid_by == WayBackPayer::Buyer
            && resolution != Resolution::Exchange
            && cost.currency() == currency
    });
    cost.unwrap_or_else(|| Money::zero(currency))
}

/// What the buyer gets if all arrives as it was described, less what the way back costs them as far as that is known.
pub(crate) fn expected_refund(of: &Return, terms: &PolicyTerms) -> Result<Money, ProcessingError> {
    let expected = of.request.expected;
    let mut at_fault = of.is_recalled();
    for line in &of.request.lines {
        at_fault |= line.reason.parse::<Reason>()?.is_at_fault();
    }
    if at_fault {
        return Ok(expected.refund);
    }
    let way_back = way_back(of, of.request.resolution.parse()?, terms, expected.refund.currency());
    let due = expected.goods.checked_sub(expected.fee)?.checked_sub(way_back)?;
    Ok(refund::at_most(due, expected.refund)?)
}

/// Units of a line that were handed over and did not come.
fn lost(of: &Return, wanted: &ReturnedLine) -> u32 {
    let missing = wanted.quantity.saturating_sub(of.received_of(wanted.line));
    if of.lost_at.is_some() { missing } else { 0 }
}

fn claimed(of: &Return, line: u32, claim: Claim) -> u32 {
    let inspected =
        of.units.iter().filter(|unit| unit.line == line).filter_map(|unit| unit.inspection.as_ref());
    let count = inspected.filter(|inspection| inspection.found.claim == claim.as_str()).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// What came is settled, whatever it is worth, and so is what was lost; what else did not come is the buyer's again.
pub(crate) fn settle(order: &mut DeliveredOrder, of: &Return, refund: Money) -> Result<(), MoneyError> {
    let (mut settled, mut kept) = (of.returned(), of.outstanding());
    if of.lost_at.is_some() {
        settled.append(&mut kept);
    }
    order.release(&kept);
    order.settle(&settled, refund)
}

/// Nobody pays a fee for other goods instead: they are sold, after all.
pub(crate) fn refund_terms(reason: Reason, resolution: Resolution, terms: &PolicyTerms) -> Terms {
    let fee = match resolution {
        Resolution::Exchange => Bps::MIN,
        Resolution::Refund | Resolution::StoreCredit => terms.fee_of(reason),
    };
    Terms { at_fault: reason.is_at_fault(), fee }
}
